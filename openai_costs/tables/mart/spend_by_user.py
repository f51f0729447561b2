"""Spend by user, model and usage type, with the rule that attributed each dollar."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column

ATTRIBUTIONS = ("direct", "key_owner", "allocated", "unattributed")


class SpendByUser(Contract):
    """Spend by user, model and usage type.

    One row per UTC day, connection, user, team, model, usage type and attribution: dollars billed,
    and the rule that attributed them. The sum of mart.spend_attribution, which has projects and
    keys.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider that billed.")
    user_id: str = column("The user or service account; null if unattributed.", nullable=True)
    user_name: str = column("The user's last known name.", nullable=True)
    team: str = column(
        "The team of these dollars: of the key, or else the user, or else the project, as "
        "[[teams]] defines it; null if none applies.",
        nullable=True,
    )
    model: str = column("Model; null if the line item names none.", nullable=True)
    usage_type: str = column(
        "What was used; null if the line item was not recognized.", nullable=True
    )
    billed_usd: Usd = column("Dollars billed, credits and taxes of the bill included.", unit="USD")
    attribution: str = column(
        "direct: the provider names the user; key_owner: the user owns the API key; allocated: by "
        "the user's share of tokens; unattributed: no user is known.",
        isin=ATTRIBUTIONS,
    )
    share_pct: Quantity = column(
        "For allocated dollars: the row's part of all dollars of that model and usage type that "
        "were allocated by tokens that day. mart.spend_attribution has the share per pool.",
        unit="%",
        nullable=True,
    )

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = (
            "day",
            "connection",
            "provider",
            "user_id",
            "team",
            "model",
            "usage_type",
            "attribution",
        )
