"""The bill against the gateway's meter, and the cause of every difference."""

import datetime as dt
from typing import Any

from openai_costs.tables.contract import Contract, Quantity, Usd, column
from openai_costs.tables.core.gateway_spend import COST_BASES

EXPLANATIONS = (
    "bypass",
    "credits",
    "cached_tokens",
    "cache_writes",
    "price_differs",
    "unpriced_model",
    "late_or_unsettled",
    "day_boundary",
    "missing_on_meter",
    "missing_on_bill",
    "unexplained",
)
CAUSES = ("agrees", *EXPLANATIONS)
LEVELS = ("key", "project", "gateway", "unmapped")


def _part(description: str) -> Any:  # noqa: ANN401 - pandera's own field type
    return column(f"Part of the gap: {description}.", unit="USD")


class CostReconciliation(Contract):
    """The bill against the gateway's meter.

    One row per UTC day, connection, project, API key, model and usage type. gap_usd = billed_usd -
    metered_usd, and the eleven columns behind it add up to it exactly. docs/governance.md has the
    rule of each part.
    """

    day: dt.date = column("The UTC day.", unit="UTC day")
    connection: str = column("The connection in openai_costs.toml whose bill it is.")
    provider: str = column("The provider that billed.")
    project_id: str = column("The project; null if neither side names one.", nullable=True)
    api_key_id: str = column(
        "The API key; null for spend without a key, and on the levels project and gateway.",
        nullable=True,
    )
    model: str = column(
        "The model without its date: a gateway meters the requested name, while the bill names "
        "the snapshot that answered.",
        nullable=True,
    )
    usage_type: str = column(
        "What was used; null if the metered dollars cannot be split or the label was not "
        "recognized.",
        nullable=True,
    )
    level: str = column(
        "What the two sides were matched on: key; project: the gateway knows no key; gateway: the "
        "keys that settings declare for the model, together, where a token may use several; "
        "unmapped: nothing says whose tokens these are, or which tokens use a declared key.",
        isin=LEVELS,
    )
    billed_usd: Usd = column("Dollars billed; 0 if nothing was billed.", unit="USD")
    metered_usd: Usd = column(
        "Dollars metered; a model's dollars are split by usage type at the bill's prices.",
        unit="USD",
    )
    metered_basis: str = column(
        "metered: the gateway's own dollars; estimated: its export has none, and the tokens of "
        "that day are valued at list price, so their price says nothing about the bill.",
        isin=COST_BASES,
    )
    gap_usd: Usd = column("billed_usd - metered_usd.", unit="USD")
    capture_rate: Quantity = column(
        "metered_usd / billed_usd; null if nothing was billed.", unit="ratio", nullable=True
    )
    billed_tokens: Quantity = column("Tokens billed.", unit="tokens", nullable=True)
    metered_tokens: Quantity = column("Tokens metered.", unit="tokens", nullable=True)
    cause: str = column(
        "The largest part of the gap of this key and model on the day; agrees: the whole gap is "
        "within the tolerance; credits: it would be without credits and refunds.",
        isin=CAUSES,
    )
    is_settled: bool = column("Whether bill and meter were both read after the day had settled.")
    judged_by: str = column(
        "A digest of what the day was judged by: upstreams, models and tolerances of [gateway], "
        "the bills of its tokens, and whether the meter was read. Days of another one are made "
        "again."
    )
    is_within_tolerance: bool = column("Whether the gap of this key and model is small.")
    bypass_usd: Usd = _part("the key has no gateway token")
    credits_usd: Usd = _part("credits and refunds, which no gateway meters")
    cached_tokens_usd: Usd = _part("the two sides count different cached tokens")
    cache_writes_usd: Usd = _part("the two sides count different cache writes")
    price_differs_usd: Usd = _part("the same tokens at different prices")
    unpriced_model_usd: Usd = _part("tokens that the gateway has no price for")
    late_or_unsettled_usd: Usd = _part("one side was read too early")
    day_boundary_usd: Usd = _part("the other side counts it on the day before or after")
    missing_on_meter_usd: Usd = _part("billed but never metered")
    missing_on_bill_usd: Usd = _part("metered but never billed")
    unexplained_usd: Usd = _part("not explained by any of the above")

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = ("day", "connection", "project_id", "api_key_id", "model", "usage_type", "level")
