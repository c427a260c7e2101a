"""Accounts of the classic profile: whoever stands in credentials.txt has one.

The database is made anew at each start; its accounts have no keys, since the passwords are in the file.

Source: rows T02, T07, T41, X03.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

from veche.core.scram import ScramFailed, fake_salt, make_verifier
from veche.packets import ErrorCode
from veche.storage import accounts
from veche.storage.accounts import Account
from veche.storage.database import Steps

from ..session import Refused
from .credentials import BadPassword, Credentials, NameTaken

NO_KEYS = b"", 0, b"", b""

if TYPE_CHECKING:
    from ..app import HomeServer

log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def load(app: HomeServer) -> Credentials:
    """Read the file and make all its accounts, at once.  Raises BadCredentials, StorageError."""
    assert app.config.credentials is not None
    credentials = Credentials(app.config.credentials)
    await app.database.write(_create_all(credentials, app.now_us()))
    return credentials


def _create_all(names: Iterable[str], now: int) -> Steps[None]:
    for name in names:
        yield from accounts.create(name, *NO_KEYS, now=now)


async def account_of(app: HomeServer, name: str) -> Account:
    """The account of a name that stands in the file.  Raises StorageError."""
    row = await app.database.find(accounts.find(name))
    if row is None:  # it was added to the file, and then this database could not store it
        await app.database.write(accounts.create(name, *NO_KEYS, now=app.now_us()))
        row = await app.database.find(accounts.find(name))
    assert row is not None
    return row


async def register(app: HomeServer, name: str, password: str) -> Account:
    """Add an account to the file, then to the database.  Raises Refused, StorageError."""
    credentials = app.credentials
    assert credentials is not None
    try:
        await app.hash_slowly(lambda: credentials.add(name, password))  # the one thread of slow things
    except BadPassword as error:
        raise Refused(ErrorCode.BAD_REQUEST, str(error)) from None
    except NameTaken:
        raise Refused(ErrorCode.LOGIN_TAKEN) from None
    except OSError as error:
        code = ErrorCode.STORAGE_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else ErrorCode.TRY_AGAIN_LATER
        raise Refused(code, f"The account could not be saved: {error.strerror}. There is none.") from None
    app.counters.registrations += 1
    log.info("account.created", login=name)
    return await account_of(app, name)


async def with_keys(app: HomeServer, row: Account) -> Account:
    """The account with a SCRAM verifier made of its password, for a client that logs in by CONNECT.

    The salt is stable, and few iterations suffice: whoever can read the verifier can read the file.
    """
    assert app.credentials is not None
    password = app.credentials.password(row.login)
    salt, iterations = fake_salt(app.secret, row.login), app.config.scram_iterations
    if password is None:
        return row
    try:
        return row._replace(**(await app.hash_slowly(lambda: make_verifier(password, salt, iterations)))._asdict())
    except ScramFailed:  # a password that SASLprep forbids logs in by the dialogue only
        return row
