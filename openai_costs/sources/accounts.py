"""Whose costs a connection reads: each account is counted once, whatever connections are called.

The account is what the pages name, not what settings call it. Pages that name none are matched
by ids that one account has and no other (projects, keys), and by the settings' `organization_id`.
A connection keeps a note of the account its stored days are of; a read of another account changes
nothing, and takes back what the same reading has kept before it. A connection that reads the
account of one that left the settings goes on with its history: it was renamed. Of two in the
settings that read one account, one counts it with the days of both. A read that says nothing of an
account is refused as the newest that did: a day without costs is of whom the days beside it are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

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
    refused,
)
from openai_costs.sources.account_refusals import (
    REFUSED,
    AccountCountedAlready,
    AccountRefused,
    expected,
    refuse_as_before,
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
            RefusedAsBefore: No read says whose it is, and one of the two was raised before.
        """
        admitted, waiting = dict[Claim, Noted](), list[DayRead]()
        raw = place(self.settings.home) / "raw"
        try:
            refuse_name_of_another(self.archive, raw, self.costs.pages, connection)
            yield from self._admitted(connection, reads, admitted, waiting)
        except AccountRefused:
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
        """Yield the reads, and collect what says whose they are; those that do not say it wait.

        Lists say nothing of a key whose newest read was refused: they are of before.
        """
        known, first = set[str](), ""
        before = refused(self.archive, self.settings, connection)
        ids_in = self.costs.owned_ids if before else partial(self._evidence.ids_in, connection.name)
        for read in reads:
            named = self.costs.accounts(read)
            ids = set() if named else ids_in(read)
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
        """Yield the reads that say nothing of an account: the settings may name theirs.

        Raises:
            RefusedAsBefore: The newest read that did was refused.
        """
        if waiting and (before := refused(self.archive, self.settings, connection)):
            refuse_as_before(self._evidence, before, waiting)
        elif waiting and connection.organization_id:
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
            except AccountCountedAlready as why:
                keep_refusal(self.archive, one, str(why), why.holder)
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
        except AccountRefused as why:
            self.archive.keep(replace(read, dataset=read.dataset + REFUSED))
            keep_refusal(self.archive, connection, str(why), why.holder)
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
            why = str(AccountCountedAlready(other, what, connection.name))
            drop_refusal(self.archive, listed[other])
            self._merge(other, connection.name)
            tell(why)
            keep_refusal(self.archive, listed[other], why, holder=connection.name)

    def _readers_of(self, connection: Connection, claim: Claim, account: str) -> dict[str, str]:
        """Return the others that anything is kept of and that read the account: what says so."""
        others = (one for one in self.archive.connections(self._provider) if one != connection.name)
        found = dict[str, str]()
        for other in others:
            both = (connection.name, other)
            by_ids = not (self.costs.ids_may_be_shared and self._are_two(*both))
            if what := self._evidence.of_one(both, claim, account, by_ids=by_ids):
                found[other] = what
        return found

    def _are_two(self, name: str, other: str) -> bool:
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
