"""Why a read is refused or continued for its account, in sentences that name both accounts."""

from collections.abc import Iterable

from upath import UPath

from openai_costs.kernel.errors import ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.settings.twins import folded
from openai_costs.sources.account_evidence import Claim, Evidence
from openai_costs.sources.account_notes import Noted, Refused
from openai_costs.sources.provider import RawPages
from openai_costs.storage.archive import Archive, DayRead

REFUSED = "_of_another_account"
"""Added to the dataset of a read that is kept aside: evidence of the response."""


class AccountRefused(ReadFailed):
    """A read is not the connection's, because of whose costs it holds or may hold.

    `holder` is the connection that counts the account, and empty where the reason is another.
    """

    holder = ""


class OtherAccount(AccountRefused):
    """The pages or the settings name another account than the settings or the stored days.

    So do pages that name another account than the pages before them. Nothing of the reading is
    kept: which of its days are of which account is not known.

    Args:
        connection: The connection's name.
        read: What is read, as a clause: `this key reads org-a`.
        expected: What contradicts it, as a clause: `the settings say org-b`.
        remedy: What to do, as a sentence.
    """

    def __init__(self, connection: str, read: str, expected: str, remedy: str) -> None:
        super().__init__(
            f"Connection {connection!r}: {read}, but {expected}. Nothing was changed. {remedy}"
        )


class AccountCountedAlready(AccountRefused):
    """Another connection of the settings reads the same organization.

    Args:
        connection: The connection's name.
        account: The organization, or what the two have in common.
        holder: The connection that counts it.
    """

    def __init__(self, connection: str, account: str, holder: str) -> None:
        super().__init__(
            f"Connection {connection!r} reads {account}, which {holder!r} reads too: it is counted "
            f"once, as {holder!r}. Remove one of the two from openai_costs.toml; for a new key, "
            f"keep the name {holder!r} and change its key."
        )
        self.holder = holder


class RefusedAsBefore(AccountRefused):
    """A read says nothing of an account, and the newest one that did was refused.

    Args:
        before: Why that one was refused.
    """

    def __init__(self, before: Refused) -> None:
        super().__init__(before.text)
        self.holder = before.holder


def refuse_name_of_another(
    archive: Archive, raw: UPath, pages: RawPages, connection: Connection
) -> None:
    """Refuse the first read under a name under which days of another provider are kept.

    The tables know a connection by its name alone: both would be one.

    Raises:
        OtherAccount: There are some.
    """
    name, ours = connection.name, pages.provider
    if not raw.exists() or archive.days(ours, name, pages.dataset):
        return
    for other in sorted(one.name for one in raw.iterdir() if one.name != ours):
        if archive.days(other, name, pages.dataset):
            remedy = "Give it a name that no connection had."
            theirs = f"the stored days of this name are of {other}"
            raise OtherAccount(name, f"it reads {ours}", theirs, remedy)


def refuse_second(connection: Connection, account: str, first: str) -> None:
    """Refuse a second account in one reading, unless it contradicts the settings anyway.

    Args:
        connection: The connection.
        account: The account that a read names; empty where it names none.
        first: The account that the reads before it named; empty where none did.

    Raises:
        OtherAccount: The two differ.
    """
    is_as_said = folded(connection.organization_id or first) == folded(first)
    if first and account and is_as_said:
        found = f"this key reads {account}"
        others = f"other days of the same reading are of {first}"
        remedy = f"Use a key of {first}, or give {account} a connection of its own."
        raise OtherAccount(connection.name, found, others, remedy)


def expected(evidence: Evidence, connection: Connection, claim: Claim) -> Noted:
    """Return the account of a claim, unless it contradicts the settings or the stored days.

    What only the settings named may be called otherwise later: the ids say that it is the same.

    Raises:
        OtherAccount: It does.
    """
    name, said = connection.name, connection.organization_id or ""
    stored = evidence.known(name) or Noted("", is_of_pages=False)
    if claim.account and said and folded(said) != folded(claim.account):
        remedy = f"Use a key of {said}, or give {claim.account} a connection of its own."
        found = f"this key reads {claim.account}"
        raise OtherAccount(name, found, f"the settings say {said}", remedy)
    account = claim.account or said or stored.account
    is_as_stored = not stored.account or folded(stored.account) == folded(account)
    if not is_as_stored and not _is_relabelled(evidence, name, stored, claim):
        found = f"this key reads {account}" if claim.account else f"the settings say {account}"
        ours = f"a key and an organization_id of {stored.account}"
        remedy = f"Use {ours}, or give {account} a connection of its own."
        raise OtherAccount(name, found, f"its stored days are of {stored.account}", remedy)
    return Noted(account, bool(claim.account) or stored.is_of_pages)


def _is_relabelled(evidence: Evidence, name: str, stored: Noted, claim: Claim) -> bool:
    """Return whether evidence says more than the name that only the settings gave stored days."""
    ids = evidence.ids_of(name)
    is_same = bool(claim.ids & ids) if ids else bool(claim.account or claim.ids)
    return is_same and not stored.is_of_pages


def refuse_other_ids(evidence: Evidence, connection: Connection, read: DayRead) -> None:
    """Refuse a read that names no account and shares no id with the stored read of its day.

    Raises:
        OtherAccount: It does not.
    """
    stored, ids = evidence.ids_on(connection.name, read.day), evidence.costs.owned_ids(read)
    if ids and stored and ids.isdisjoint(stored):
        found = f"no project or key that this key reads on {read.day} is in the stored day"
        day = f"the stored day is of {max(stored)}"
        remedy = "Use a key of the same organization, or give this key a connection of its own."
        raise OtherAccount(connection.name, found, day, remedy)


def refuse_as_before(evidence: Evidence, before: Refused, reads: Iterable[DayRead]) -> None:
    """Refuse reads that say nothing of an account, where the newest one that did was refused.

    Where no other connection counts the account, they only replace no day that names one: the key
    may be the right one by now, of an account that has had no costs since.

    Raises:
        RefusedAsBefore: They would be days of an account that is counted already, or replace days
            that name another.
    """
    if before.holder or any(evidence.names_account(one.connection, one.day) for one in reads):
        raise RefusedAsBefore(before)


def renamed(connection: str, account: str, former: str) -> str:
    """Return that a connection continues the days of one that left the settings."""
    return (
        f"{connection}: reads {account}, as {former} did, which left the settings. "
        f"The days of {former} are continued as {connection}, and counted once."
    )
