"""Who has failed to log in too often.

The rules:
1. `limit` consecutive failures for one account, whether it exists or not, lock that account for `block_s`, counted from
   the last of them.  Failures do not age: only a success or a lock ends the row of them.
2. Failures for `limit` different accounts from one address within `block_s` lock that address for `block_s`
   (password spraying).  Failures for one account count once here; rule 1 has them already.
3. During a lock nothing counts: no attempt prolongs it, and an attempt that was under way when the lock began neither
   adds a failure nor lifts it.  After the lock the counting starts anew.
4. A success ends the row of its account and forgets the failures of its address.
5. `block_s` 0 switches all of this off.

The caller asks `wait_s` in the same step in which it judges the password, not only when the attempt begins; else many
attempts begun at once would all be judged.  It gives accounts in their normal spelling (names.py), and one address per
person as well as it can tell: an IPv6 address should be cut to its /64.

Memory.  At most `capacity` entries in each of four tables: rows of failures, locked accounts, addresses with
failures, locked addresses.  A full table drops its oldest entry.  Rows and locks are apart so that cheap rows never
push out a lock.  To make the server forget two guesses at one account, an attacker must fail for `capacity` other
accounts; to lift one lock early, lock `capacity` other accounts, that is fail `limit * capacity` times.  Rule 2 allows
each of his addresses `limit` accounts per `block_s`, so either takes `capacity / limit` addresses at once, or that many
times `block_s` from one.  Waiting for the end of the lock is cheaper.  The other choice, refusing everybody while a
table is full, would let the same attacker lock out all.

Source: rows A11, M09, T09-T12; NIST SP 800-63B §5.2.2 (rate limiting) for the idea of counting failures per account.
"""

from __future__ import annotations


class _Locks:
    """Who is locked until when, in the order in which the locks end.

    Every lock lasts the same `block_s`, so the order of locking is the order of ending.
    """

    __slots__ = ("_block_s", "_capacity", "_until")

    def __init__(self, block_s: float, capacity: int) -> None:
        self._block_s = block_s
        self._capacity = capacity
        self._until: dict[str, float] = {}

    def wait_s(self, key: str, now: float) -> float:
        until = self._until.get(key)
        if until is None:
            return 0.0
        if until <= now:
            del self._until[key]
            return 0.0
        if until - now > self._block_s:  # the clock stepped back: from here it is block_s at most
            self._until[key] = until = now + self._block_s
        return until - now

    def lock(self, key: str, now: float) -> None:
        until = self._until
        while until and (until[oldest := next(iter(until))] <= now or len(until) >= self._capacity):
            del until[oldest]
        until[key] = now + self._block_s


class Lockout:
    """Failures and locks of one server.

    block_s: seconds, 0 for no lockout.  limit: failures of one account, and accounts of one address, that lock.
    capacity: entries of each table.  Every `now` is monotonic seconds; one that steps back makes no lock longer than
    `block_s` from there.
    """

    __slots__ = ("_block_s", "_capacity", "_limit", "_locked_accounts", "_locked_addresses", "_rows", "_tried")

    def __init__(self, block_s: float, limit: int = 3, capacity: int = 100_000) -> None:
        if limit < 1 or capacity < 1:
            raise ValueError(f"limit and capacity must be at least 1, not {limit} and {capacity}")
        self._block_s = block_s
        self._limit = limit
        self._capacity = capacity
        self._locked_accounts = _Locks(block_s, capacity)
        self._locked_addresses = _Locks(block_s, capacity)
        self._rows: dict[str, int] = {}
        """Consecutive failures by account, 1..limit-1; the account that failed longest ago is first."""
        self._tried: dict[str, dict[str, float]] = {}
        """By address: account -> its last failure, both in the order of the last failure."""

    def wait_s(self, account: str, address: str, now: float) -> float:
        """Seconds until this account may be tried from this address; 0.0 when it may be tried now."""
        return max(self._locked_accounts.wait_s(account, now), self._locked_addresses.wait_s(address, now))

    def failed(self, account: str, address: str, now: float) -> float:
        """Count a wrong password (also of an account that does not exist); return `wait_s` as it is after that."""
        if self._block_s <= 0:
            return 0.0
        if wait_s := self.wait_s(account, address, now):
            return wait_s
        self._count_for_account(account, now)
        self._count_for_address(account, address, now)
        return self.wait_s(account, address, now)

    def succeeded(self, account: str, address: str, now: float) -> None:
        """A right password: the account's row of failures and those of the address are forgotten.

        Lifts no lock.  Not for logins by token or resumption, which guess nothing.
        """
        if self._locked_accounts.wait_s(account, now) == 0.0:
            self._rows.pop(account, None)
        if self._locked_addresses.wait_s(address, now) == 0.0:
            self._tried.pop(address, None)

    def _count_for_account(self, account: str, now: float) -> None:
        rows = self._rows
        failures = rows.pop(account, 0) + 1
        if failures >= self._limit:
            self._locked_accounts.lock(account, now)
            return
        if len(rows) >= self._capacity:
            del rows[next(iter(rows))]
        rows[account] = failures

    def _count_for_address(self, account: str, address: str, now: float) -> None:
        tried = self._tried
        # A failure from the future was before the clock stepped back; it counts as one of now.
        accounts = {
            name: min(at, now)
            for name, at in tried.pop(address, {}).items()
            if name != account and now - at < self._block_s
        }
        accounts[account] = now
        if len(accounts) >= self._limit:
            self._locked_addresses.lock(address, now)
            return
        while tried:
            oldest = next(iter(tried))
            last_failure = next(reversed(tried[oldest].values()))
            if now - last_failure < self._block_s and len(tried) < self._capacity:
                break
            del tried[oldest]
        tried[address] = accounts
