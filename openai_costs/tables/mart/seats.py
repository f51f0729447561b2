"""Who holds a seat, and whether the company's directory lists them."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column

SEAT_STATES = ("matched", "alias", "left", "unmatched", "service_account", "invited")
SHARED = "shared_address"
"""Why no one is matched: several people of the directory have the address."""
SEAT_KINDS = ("user", "invite", "service_account")


class Seats(Contract):
    """Members, invites and service accounts.

    One row per connection and member, invite or service account, matched with the company's
    directory. Contains e-mail addresses: personal data.
    """

    connection: str = column("The connection in openai_costs.toml.")
    user_id: str = column("The id of the member, invite or service account.")
    seat_kind: str = column("user, invite or service_account.", isin=SEAT_KINDS)
    name: str = column("The last known name.", nullable=True)
    email: str = column("E-mail address at OpenAI. Personal data.", nullable=True)
    role: str = column("owner or reader.", nullable=True)
    is_current: bool = column(
        "Whether the newest list contains it; others are included because they still spend."
    )
    status: str = column(
        "matched: a person's main address or declared id; alias: another of their addresses; left: "
        "a person who left; unmatched: no person of the company directory, or several; "
        "service_account; invited. "
        "Null: there is no trusted directory, so no seat is matched.",
        nullable=True,
        isin=SEAT_STATES,
    )
    matched_by: str = column(
        "The rule that matched: email, alias, domain, plus_tag or openai_user_id; shared_address: "
        "several people of the directory have the address, so that none is matched.",
        nullable=True,
    )
    person_id: str = column("The person's id in the directory.", nullable=True)
    team: str = column("The person's team.", nullable=True)
    left_day: dt.date = column("When the person left.", unit="UTC day", nullable=True)
    admin_keys: int = column("Admin keys it owns.", unit="keys", nullable=True)
    api_keys: int = column("API keys it owns.", unit="keys", nullable=True)
    projects: int = column("Projects it is a member of.", unit="projects", nullable=True)
    spend_30d_usd: Usd = column(
        "Dollars attributed to it in the 30 days through as_of_day.", unit="USD"
    )
    spend_after_left_usd: Usd = column(
        "The part of spend_30d_usd that is of days after left_day, or all of it where the "
        "directory gives no such day; null unless status is left.",
        unit="USD",
        nullable=True,
    )
    last_active_day: dt.date = column(
        "Newest UTC day with spend or a key used; null if none is known.",
        unit="UTC day",
        nullable=True,
    )
    is_idle: bool = column("Whether it was inactive for at least [seats] idle_after_days.")
    seat_usd: Usd = column(
        "The seat's contract price per month, from the settings; null without one. An assumption: "
        "the Costs API does not bill seats.",
        unit="USD",
        nullable=True,
    )
    billed_seat_usd: Usd = column(
        "An equal share of the bill's subscription lines in the same 30 days.",
        unit="USD",
        nullable=True,
    )
    seat_basis: str = column(
        "The source of the seat cost: contract_price (an assumption), bill, both or none."
    )
    as_of_day: dt.date = column(
        "The newest settled UTC day of the connection's ledger, or its newest day if none has "
        "settled.",
        unit="UTC day",
        nullable=True,
    )

    class Config(Contract.Config):
        """One row per connection and member, invite or service account."""

        unique = ("connection", "user_id")
