"""A conference as rows of the database, and back."""

from __future__ import annotations

from datetime import UTC, datetime

from veche.core.conference import Guest
from veche.packets.conference import CallStatus, Leg, MediaKind
from veche.storage.conferences import GuestRow, LegRow, Person


def device_of(leg: Leg) -> str:
    return leg.id.removeprefix(f"{leg.user}/")


def us_of(at: str) -> int:
    """Microseconds since 1970 of an instant of the wire."""
    return int(datetime.fromisoformat(at).astimezone(UTC).timestamp() * 1000) * 1000


def leg_row(account_id: int, place: int, leg: Leg) -> LegRow:
    return LegRow(
        account_id=account_id,
        device=device_of(leg),
        place=place,
        epoch=leg.epoch,
        initiator=leg.initiator,
        media=leg.media.value,
        is_muted=int(leg.is_muted),
        is_hidden=int(leg.is_hidden),
        is_sharing=int(leg.is_sharing),
        held=int(leg.held),
        asks=int(leg.asks),
        muted_by=leg.muted_by,
        hidden_by=leg.hidden_by,
        at=us_of(leg.at),
    )


def leg_of(row: LegRow, user: str, person: Person, at: str) -> Leg:
    return Leg(
        id=f"{user}/{row.device}",
        user=user,
        name=person.name,
        avatar=person.avatar,
        epoch=row.epoch,
        initiator=row.initiator,
        media=MediaKind(row.media),
        is_muted=bool(row.is_muted),
        is_hidden=bool(row.is_hidden),
        is_sharing=bool(row.is_sharing),
        held=bool(row.held),
        asks=bool(row.asks),
        muted_by=row.muted_by,
        hidden_by=row.hidden_by,
        at=at,
    )


def guest_row(account_id: int, guest: Guest) -> GuestRow:
    return GuestRow(
        account_id=account_id,
        may_come=int(guest.may_come),
        called_by=guest.by,
        status="" if guest.status is None else guest.status.value,
        is_silent=int(guest.is_silent),
        is_removed=int(guest.is_removed),
        muted_by=guest.muted_by,
        hidden_by=guest.hidden_by,
        entry_id=guest.entry,
    )


def guest_of(row: GuestRow) -> Guest:
    return Guest(
        may_come=bool(row.may_come),
        by=row.called_by,
        status=CallStatus(row.status) if row.status else None,
        is_silent=bool(row.is_silent),
        is_removed=bool(row.is_removed),
        muted_by=row.muted_by,
        hidden_by=row.hidden_by,
        entry=row.entry_id,
    )
