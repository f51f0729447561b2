"""Whose costs a connection reads: each account is counted once, whatever connections are called.

The account is what the pages name, not what settings call it. Pages that name none are matched
by ids that one account has and no other (projects, keys), and by the settings' `organization_id`.
A connection keeps a note of the account its stored days are of; a read of another account changes
nothing, and takes back what the same reading has kept before it. A connection that reads the
account of one that left the settings goes on with its history: it was renamed. Of two in the
settings that read one account, one counts it with the days of both.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from openai_costs.kernel.errors import ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.settings.twins import folded
from openai_costs.sources.account_evidence import Claim, Evidence
from openai_costs.sources.account_notes import (
    Noted,
    drop_refusal,
    keep_note,
    keep_refusal,
    noted,
    refusal,
)
from openai_costs.sources.account_refusals import (
    REFUSED,
    AccountCountedAlready,
    OtherAccount,
    expected,
    refuse_name_of_another,
    refuse_other_ids,
    refuse_second,
    renamed,
)
from openai_costs.sources.provider import CostSource, OrganizationSource, Tell
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import place
from openai_costs.storage.renamed import rename_connection


@dataclass(frozen=True)
class Accounts:
    """The accounts that the connections of a provider read.

    Args:
        settings: The connections there are.
        archive: Where reads and notes are kept.
        costs: The provider's costs, which know the account and the ids in a page.
        organization: Its lists of projects and keys; None where it has none.
    """

    settings: Settings
    archive: Archive
    costs: CostSource
    organization: OrganizationSource | None = None

    @cached_property
    def _evidence(self) -> Evidence:
        return Evidence(self.archive, self.costs, self.organization)

    def checked(
        self, connection: Connection, reads: Iterable[DayRead], tell: Tell
    ) -> Iterator[DayRead]:
        """Yield the reads of a connection that are of its own account.

        A day without costs says nothing of an account: such reads wait for one that does. The
        account becomes the connection's at the end, or where reading breaks off: until then a later
        page may name another.

        Raises:
            OtherAccount: A read is of another account than the settings, the stored days or the
                reads before it.
            AccountCountedAlready: Another connection of the settings reads the account.
        """
        admitted, waiting = dict[Claim, Noted](), list[DayRead]()
        raw = place(self.settings.home) / "raw"
        try:
            refuse_name_of_another(self.archive, raw, self.costs.pages, connection)
            yield from self._admitted(connection, reads, admitted, waiting)
        except (OtherAccount, AccountCountedAlready):
            raise
        except ReadFailed:
            yield from self._unnamed(connection, waiting, admitted)
            self._claim(connection, admitted, tell)
            raise
        yield from self._unnamed(connection, waiting, admitted)
        self._claim(connection, admitted, tell)

    def _admitted(
        self,
        connection: Connection,
        reads: Iterable[DayRead],
        admitted: dict[Claim, Noted],
        waiting: list[DayRead],
    ) -> Iterator[DayRead]:
        """Yield the reads, and collect what says whose they are; those that do not say it wait."""
        known, first = set[str](), ""
        for read in reads:
            named = self.costs.accounts(read)
            ids = set() if named else self._evidence.ids_in(connection.name, read)
            for account in sorted(named - known) or ([""] if ids - known else []):
                claim, noted_as = self._admit_read(connection, account, first, read)
                admitted[claim] = noted_as
                first = first or account
            known |= named | ids
            waiting.append(read)
            if known:
                yield from waiting
                waiting.clear()

    def _unnamed(
        self, connection: Connection, waiting: list[DayRead], admitted: dict[Claim, Noted]
    ) -> Iterator[DayRead]:
        """Yield the reads that say nothing of an account: the settings may name theirs."""
        if waiting and connection.organization_id:
            claim, noted_as = self._admit_read(connection, "", "", waiting[0])
            admitted[claim] = noted_as
        yield from waiting

    def _claim(self, connection: Connection, admitted: Mapping[Claim, Noted], tell: Tell) -> None:
        """Make the accounts that were admitted the connection's."""
        for claim, known in admitted.items():
            self._count_once(connection, claim, known.account, tell)
            keep_note(self.archive, self._provider, connection.name, known)
            self._evidence.forget(connection.name)

    def recheck(self, connections: Iterable[Connection], tell: Tell) -> dict[str, ReadFailed]:
        """Return which connections read another's account by their lists of projects and keys.

        It matters where costs name no account and no id; the lists are read after the costs.
        """
        asked = list(connections)
        for one in asked:
            known = self._evidence.known(one.name)
            if known is None or known.is_of_pages or not (ids := self._evidence.ids_of(one.name)):
                continue
            try:
                self._count_once(one, Claim("", frozenset(ids)), known.account, tell)
            except AccountCountedAlready as refused:
                keep_refusal(self.archive, one, str(refused), refused.holder)
        refusals = {one.name: refusal(self.archive, self.settings, one) for one in asked}
        return {name: ReadFailed(text) for name, text in refusals.items() if text}

    def _admit_read(
        self, connection: Connection, account: str, first: str, read: DayRead
    ) -> tuple[Claim, Noted]:
        """Admit the account of a read, or keep the read aside and note why."""
        claim = Claim(account, frozenset(self._evidence.ids_in(connection.name, read)))
        try:
            if not account:
                refuse_other_ids(self._evidence, connection, read)
            refuse_second(connection, account, first)
            known = expected(self._evidence, connection, claim)
            if known.is_of_pages:  # a day without costs is of the account that other days name
                claim = claim._replace(account=known.account)
            self._refuse_counted(connection, claim, known.account)
        except (OtherAccount, AccountCountedAlready) as refused:
            self.archive.keep(replace(read, dataset=read.dataset + REFUSED))
            keep_refusal(self.archive, connection, str(refused), refused.holder)
            raise
        drop_refusal(self.archive, connection)
        self._evidence.forget(connection.name)
        return claim, known

    def _refuse_counted(self, connection: Connection, claim: Claim, account: str) -> None:
        """Refuse a connection whose account another one of the settings counts.

        Raises:
            AccountCountedAlready: It does, with the stored days of both.
        """
        readers = self._readers_of(connection, claim, account)
        for other in sorted(self._listed.keys() & readers.keys()):
            first, second = sorted((connection.name, other), key=self._rank)
            if second == connection.name:
                drop_refusal(self.archive, connection)
                self._merge(second, first)
                raise AccountCountedAlready(second, readers[other], first)

    def _count_once(self, connection: Connection, claim: Claim, account: str, tell: Tell) -> None:
        """Merge the connections that read one account.

        Raises:
            AccountCountedAlready: One that comes first in the settings counts it.
        """
        self._refuse_counted(connection, claim, account)
        listed = self._listed
        for other, what in self._readers_of(connection, claim, account).items():
            if other not in listed:
                tell(renamed(connection.name, what, other))
                self._merge(other, connection.name)
                continue
            refused = str(AccountCountedAlready(other, what, connection.name))
            drop_refusal(self.archive, listed[other])
            self._merge(other, connection.name)
            tell(refused)
            keep_refusal(self.archive, listed[other], refused, holder=connection.name)

    def _readers_of(self, connection: Connection, claim: Claim, account: str) -> dict[str, str]:
        """Return the others that anything is kept of and that read the account: what says so."""
        others = (one for one in self.archive.connections(self._provider) if one != connection.name)
        found = {one: self._in_common(connection.name, one, claim, account) for one in others}
        return {name: what for name, what in found.items() if what}

    def _in_common(self, name: str, other: str, claim: Claim, account: str) -> str:
        """Return what shows that another connection reads the account; empty if nothing does."""
        theirs = self._evidence.known(other)
        if theirs is None:
            return ""
        if account and folded(account) == folded(theirs.account):
            return account
        if claim.account and theirs.account and theirs.is_of_pages:
            return ""
        if self.costs.ids_may_be_shared and self._are_two_by_settings(name, other):
            return ""
        ids = self._evidence.in_common(name, claim.ids, other)
        return (account or f"the organization of {max(ids)}") if ids else ""

    def _are_two_by_settings(self, name: str, other: str) -> bool:
        """Return whether the settings have both, with another `organization_id` each."""
        ours = (self._listed[one].organization_id for one in (name, other) if one in self._listed)
        return len({folded(one) for one in ours if one}) > 1

    def _rank(self, name: str) -> tuple[bool, int]:
        """Return which of two connections counts: the one that did before, else the first."""
        return noted(self.archive, self._provider, name) is None, [*self._listed].index(name)

    @property
    def _listed(self) -> dict[str, Connection]:
        """The connections of the provider in the settings, by name."""
        return {
            one.name: one for one in self.settings.connections if one.provider == self._provider
        }

    def _merge(self, name: str, into: str) -> None:
        """Go on with what is kept of a connection as another's; tables are rebuilt from it."""
        rename_connection(place(self.settings.home), self._provider, name, into)
        self._evidence.forget(name, into)

    @property
    def _provider(self) -> str:
        return self.costs.pages.provider
