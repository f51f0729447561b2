"""What kept reads say of whose they are: the account that they name, and ids that only it has."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from openai_costs.settings.twins import folded
from openai_costs.sources.account_notes import Noted, noted
from openai_costs.sources.organization.kinds import OWNED
from openai_costs.sources.provider import CostSource, OrganizationSource
from openai_costs.storage.archive import Archive, DayRead, KeptRead

RECENT_READS = 31
"""Kept days of a connection whose ids are compared: projects last for months."""


class Claim(NamedTuple):
    """What says whose costs a read holds.

    Args:
        account: The account that its pages name; empty where they name none.
        ids: Ids that one account has and no other.
    """

    account: str
    ids: frozenset[str]


@dataclass(frozen=True)
class Evidence:
    """The evidence of a provider's kept reads.

    Args:
        archive: Where they are.
        costs: The provider's costs, which know the account and the ids in a page.
        organization: Its lists of projects and keys; None where it has none.
    """

    archive: Archive
    costs: CostSource
    organization: OrganizationSource | None = None
    _ids: dict[str, set[str]] = field(default_factory=dict, compare=False)
    _lists: dict[str, set[str]] = field(default_factory=dict, compare=False)

    def known(self, name: str) -> Noted | None:
        """Return the account that a connection's stored days are of; None without any day."""
        if note := noted(self.archive, self.costs.pages.provider, name):
            return note
        is_there = False
        for read in self._newest(name):
            is_there = True
            if named := self.costs.accounts(read):
                return Noted(min(named))
        return Noted("", is_of_pages=False) if is_there else None

    def ids_in(self, name: str, read: DayRead) -> set[str]:
        """Return the ids in a connection's read, or, where it has none, those of its lists."""
        return self.costs.owned_ids(read) or self._listed(name)

    def ids_of(self, name: str) -> set[str]:
        """Return the ids of the newest kept days of a connection, and of its lists."""
        if name not in self._ids:
            recent = zip(range(RECENT_READS), self._newest(name), strict=False)
            found = (self.costs.owned_ids(read) for _, read in recent)
            self._ids[name] = self._listed(name).union(*found)
        return self._ids[name]

    def of_one(self, both: tuple[str, str], claim: Claim, account: str, *, by_ids: bool) -> str:
        """Return what shows that two connections read one account; empty if nothing does.

        Args:
            both: A connection, and another one.
            claim: What says whose costs a read of the first has.
            account: The account that its stored days are of with that read.
            by_ids: Whether ids that both have show it.
        """
        name, other = both
        theirs = self.known(other)
        if theirs is None:
            return ""
        if account and folded(account) == folded(theirs.account):
            return account
        if not by_ids or (claim.account and theirs.account and theirs.is_of_pages):
            return ""
        ids = self._in_common(name, claim.ids, other)
        return (account or f"the organization of {max(ids)}") if ids else ""

    def _in_common(self, name: str, ids: frozenset[str], other: str) -> frozenset[str]:
        """Return the ids of two connections that say that both are of one account; none if not.

        Where several accounts may have an id, it is most of those that either has.

        Args:
            name: The first connection.
            ids: Ids that a read of it has.
            other: The second connection.
        """
        theirs = self.ids_of(other)
        if not self.costs.ids_may_be_shared:
            return ids & theirs
        ours = ids | self.ids_of(name)
        both, fewest = ours & theirs, min(len(ours), len(theirs))
        return both if 2 * len(both) > fewest else frozenset()

    def ids_on(self, name: str, day: date) -> set[str]:
        """Return the ids of a connection's newest kept read of a day."""
        return set().union(*map(self.costs.owned_ids, self._newest_on(name, day)))

    def names_account(self, name: str, day: date) -> bool:
        """Return whether a connection's newest kept read of a day says whose costs it has."""
        kept = self._newest_on(name, day)
        return any(self.costs.accounts(one) or self.costs.owned_ids(one) for one in kept)

    def forget(self, *names: str) -> None:
        """Look again at connections whose reads have moved."""
        for name in names:
            self._ids.pop(name, None)
            self._lists.pop(name, None)

    def _listed(self, name: str) -> set[str]:
        """Return the projects and keys in a connection's newest kept lists, decoded once."""
        if name not in self._lists:
            self._lists[name] = self._newest_lists(name)
        return self._lists[name]

    def _newest_lists(self, name: str) -> set[str]:
        if self.organization is None:
            return set()
        pages, listing = self.organization.pages, self.organization.listing
        for read in self.archive.newest_first(pages.provider, name, pages.dataset):
            if isinstance(read, KeptRead):
                return {each for kind in OWNED for each in listing(kind, read).rows["id"]}
        return set()

    def _newest_on(self, name: str, day: date) -> list[KeptRead]:
        """Return the newest kept read of a day, where there is one that can be used."""
        pages = self.costs.pages
        kept = self.archive.newest(pages.provider, name, pages.dataset, [day])
        return [one for one in kept if isinstance(one, KeptRead)]

    def _newest(self, name: str) -> Iterator[KeptRead]:
        """Yield the newest kept read of each day, the newest day first."""
        pages = self.costs.pages
        for read in self.archive.newest_first(pages.provider, name, pages.dataset):
            if isinstance(read, KeptRead):
                yield read
