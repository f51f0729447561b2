"""Whose costs a connection reads: each account is counted once, whatever connections are called.

The account is what the pages name, not what settings call it. A connection keeps a note of the
account its stored days are of; a read that names another account changes nothing. A connection that
reads the account of one that left the settings goes on with its history: it was renamed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import msgspec

from openai_costs.kernel.errors import ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import CostSource, Tell
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs.storage.files import place, replace_file
from openai_costs.storage.renamed import rename_connection

NOTE = "account"
REFUSAL = "account_refused"
"""The note that says why the newest read of a connection was refused; gone once it is not."""
REFUSED = "_of_another_account"
"""Added to the dataset of a read that is kept aside: evidence of the response."""


class OtherAccount(ReadFailed):
    """The pages name another organization than the settings or the stored days.

    Args:
        connection: The connection's name.
        account: What the pages name.
        expected: What was expected.
        by: Who expects it, as the beginning of a clause.
    """

    def __init__(self, connection: str, account: str, expected: str, *, by: str) -> None:
        super().__init__(
            f"Connection {connection!r}: this key reads {account}, but {by} {expected}. Nothing "
            f"was changed. Use a key of {expected}, or give {account} a connection of its own."
        )


class AccountCountedAlready(ReadFailed):
    """Another connection of the settings reads the same organization.

    Args:
        connection: The connection's name.
        account: The organization.
        holder: The connection that counts it.
    """

    def __init__(self, connection: str, account: str, holder: str) -> None:
        super().__init__(
            f"Connection {connection!r} reads {account}, which {holder!r} reads too: it is counted "
            f"once, as {holder!r}. Remove one of the two from openai_costs.toml; for a new key, "
            f"keep the name {holder!r} and change its key."
        )


class Noted(msgspec.Struct, frozen=True):
    """The note of a connection: the account that its stored days are of."""

    account: str


@dataclass(frozen=True)
class Accounts:
    """The accounts that the connections of a provider read.

    Args:
        settings: The connections there are.
        archive: Where reads and notes are kept.
        costs: The provider's costs, which know the account that a page names.
    """

    settings: Settings
    archive: Archive
    costs: CostSource

    def checked(
        self, connection: Connection, reads: Iterable[DayRead], tell: Tell
    ) -> Iterator[DayRead]:
        """Yield the reads of a connection that are of its own account.

        A day without costs names no account: such reads wait for one that does.

        Raises:
            OtherAccount: A read names another account than the settings or the stored days.
            AccountCountedAlready: Another connection of the settings reads the account.
        """
        known, waiting = "", list[DayRead]()
        for read in reads:
            for account in sorted(self.costs.accounts(read.bodies) - {known}):
                self._admit_read(connection, account, read, tell)
                known = account
            waiting.append(read)
            if known:
                yield from waiting
                waiting.clear()
        yield from waiting

    def of(self, name: str) -> str:
        """Return the account that the stored days of a connection are of; empty when unknown."""
        note = self.archive.note(self.costs.pages.provider, name, NOTE)
        if note.exists():
            return msgspec.json.decode(note.read_bytes(), type=Noted).account
        return next(self._named_by_pages(name), "")

    def _admit_read(self, connection: Connection, account: str, read: DayRead, tell: Tell) -> None:
        """Admit the account that a read names, or keep the read aside and note why."""
        refusal = self.archive.note(self.costs.pages.provider, connection.name, REFUSAL)
        try:
            self._admit(connection, account, tell)
        except (OtherAccount, AccountCountedAlready) as refused:
            self.archive.keep(replace(read, dataset=read.dataset + REFUSED))
            replace_file(refusal, str(refused).encode())
            raise
        if refusal.exists():
            refusal.unlink()

    def _admit(self, connection: Connection, account: str, tell: Tell) -> None:
        stored = self.of(connection.name)
        if connection.organization_id and account != connection.organization_id:
            raise OtherAccount(
                connection.name, account, connection.organization_id, by="the settings say"
            )
        if stored and account != stored:
            raise OtherAccount(connection.name, account, stored, by="its stored days are of")
        if not stored:
            self._claim(connection, account, tell)

    def _claim(self, connection: Connection, account: str, tell: Tell) -> None:
        """Make the account the connection's, unless it is another's."""
        provider = self.costs.pages.provider
        listed = {one.name for one in self.settings.connections}
        holders = (
            name
            for name in self.archive.connections(provider)
            if name != connection.name and self.of(name) == account
        )
        for holder in holders:
            if holder in listed:
                raise AccountCountedAlready(connection.name, account, holder)
            tell(
                f"{connection.name}: reads {account}, as {holder} did, which left the settings. "
                f"The days of {holder} are continued as {connection.name}, and counted once."
            )
            # Its tables are made again from the pages, under the new name.
            home = place(self.settings.home)
            rename_connection(home, provider, holder, connection.name)
        note = self.archive.note(provider, connection.name, NOTE)
        replace_file(note, msgspec.json.encode(Noted(account)))

    def _named_by_pages(self, name: str) -> Iterator[str]:
        """Yield the account that the newest kept pages name, the newest day first."""
        pages = self.costs.pages
        for read in self.archive.newest_first(pages.provider, name, pages.dataset):
            if isinstance(read, KeptRead):
                yield from self.costs.accounts(read.bodies)


def refusal(archive: Archive, connection: Connection) -> str:
    """Return why the newest read of a connection was refused for its account; else empty."""
    note = archive.note(connection.provider, connection.name, REFUSAL)
    return note.read_text(encoding="utf-8") if note.exists() else ""
