"""Why a read is refused or continued for its account, in sentences that name both accounts."""

from openai_costs.kernel.errors import ReadFailed
from openai_costs.settings.connection import Connection

REFUSED = "_of_another_account"
"""Added to the dataset of a read that is kept aside: evidence of the response."""


class OtherAccount(ReadFailed):
    """The pages or the settings name another account than the settings or the stored days.

    So do pages that name another account than the pages before them. Nothing of the reading is
    kept: which of its days are of which account is not known.

    Args:
        connection: The connection's name.
        read: What is read, as a clause: `this key reads org-a`.
        expected: What contradicts it, as a clause: `the settings say org-b`.
        remedy: What to do, as a sentence.
    """

    holder = ""

    def __init__(self, connection: str, read: str, expected: str, remedy: str) -> None:
        super().__init__(
            f"Connection {connection!r}: {read}, but {expected}. Nothing was changed. {remedy}"
        )


class AccountCountedAlready(ReadFailed):
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


def refuse_second(connection: Connection, account: str, first: str) -> None:
    """Refuse a second account in one reading, unless it contradicts the settings anyway.

    Args:
        connection: The connection.
        account: The account that a read names; empty where it names none.
        first: The account that the reads before it named; empty where none did.

    Raises:
        OtherAccount: The two differ.
    """
    if first and account and connection.organization_id in (None, "", first):
        found = f"this key reads {account}"
        expected = f"other days of the same reading are of {first}"
        remedy = f"Use a key of {first}, or give {account} a connection of its own."
        raise OtherAccount(connection.name, found, expected, remedy)


def renamed(connection: str, account: str, former: str) -> str:
    """Return that a connection continues the days of one that left the settings."""
    return (
        f"{connection}: reads {account}, as {former} did, which left the settings. "
        f"The days of {former} are continued as {connection}, and counted once."
    )
