"""What each person costs at every provider, in one row."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column

PERSON, SERVICE_ACCOUNT, UNATTRIBUTED = "person", "service_account", "unattributed"
PERSON_KINDS = (PERSON, SERVICE_ACCOUNT, UNATTRIBUTED)
PERSON_STATES = ("active", "left", "not_listed")


class People(Contract):
    """People with what they cost at every provider.

    One row per person, over all stored days: accounts of all vendors and the company's own
    directory, joined by e-mail address. A service account is a row of its own, and so are the
    unattributed dollars, so that the rows add up to mart.spend_attribution. Contains e-mail
    addresses: personal data.
    """

    person_id: str = column(
        "The id in the company's directory; without one, the first account as connection/id; null "
        "for unattributed dollars.",
        nullable=True,
    )
    kind: str = column("person, service_account or unattributed.", isin=PERSON_KINDS)
    name: str = column("The last known name; personal data.", nullable=True)
    email: str = column("E-mail address. Personal data.", nullable=True)
    team: str = column("The person's team in the company's directory.", nullable=True)
    cost_center: str = column("Cost center.", nullable=True)
    status: str = column(
        "active or left, as the company's directory has it; not_listed if it does not.",
        isin=PERSON_STATES,
    )
    accounts: str = column(
        "The accounts of the vendors as connection/id, comma-joined; null without one.",
        nullable=True,
    )
    first_spend_day: dt.date = column(
        "First stored UTC day with spend.", unit="UTC day", nullable=True
    )
    last_spend_day: dt.date = column(
        "Newest stored UTC day with spend.", unit="UTC day", nullable=True
    )
    billed_usd: Usd = column("Dollars billed, of all providers.", unit="USD")
    by_provider: str = column(
        "The same by provider of the connection, as JSON with exact decimals: adds up to "
        "billed_usd."
    )
    metered_usd: Usd = column(
        "Dollars of meters, which another bill may have; never added. Null if there are none.",
        unit="USD",
        nullable=True,
    )
    estimated_usd: Usd = column(
        "Dollars from a rate, which no bill states; never added. Null if there are none.",
        unit="USD",
        nullable=True,
    )

    class Config(Contract.Config):
        """One row per person."""

        unique = ("person_id",)
