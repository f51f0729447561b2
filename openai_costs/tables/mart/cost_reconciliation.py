"""The bill beside the gateway's meter, and the cause of every difference."""

import datetime as dt
from typing import Any

from openai_costs.tables.contract import Contract, Quantity, Usd, column

EXPLANATIONS = (
    "bypass",
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
LEVELS = ("key", "project", "unmapped")


def _part(description: str) -> Any:  # noqa: ANN401 - pandera's own field type
    return column(f"Part of the gap: {description}.", unit="USD")


class CostReconciliation(Contract):
    """The bill beside the gateway's meter.

    One row per UTC day, connection, project, API key, model and usage type. gap_usd = billed_usd -
    metered_usd, and the ten parts behind it add up to it exactly. docs/governance.md has the rule
    of each part.
    """

    day: dt.date = column("The UTC day.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml whose bill it is.")
    provider: str = column("The provider that billed.")
    project_id: str = column("The project; null when neither side names one.", nullable=True)
    api_key_id: str = column(
        "The API key; null for spend without a key, and where the gateway knows the project only.",
        nullable=True,
    )
    model: str = column(
        "The model without its date: a gateway meters the name asked for, the bill names the "
        "snapshot that answered.",
        nullable=True,
    )
    usage_type: str = column(
        "What was used; null where the metered dollars cannot be split or the label was not "
        "understood.",
        nullable=True,
    )
    level: str = column(
        "What the two sides were matched on: key; project: the gateway knows no key; unmapped: "
        "the gateway does not know whose tokens these are, or a declared key's tokens are unknown.",
        isin=LEVELS,
    )
    billed_usd: Usd = column("Dollars billed; 0 when the bill has nothing.", unit="USD")
    metered_usd: Usd = column(
        "Dollars metered; a model's dollars are split over usage types at the bill's prices.",
        unit="USD",
    )
    gap_usd: Usd = column("billed_usd - metered_usd.", unit="USD")
    capture_rate: Quantity = column(
        "metered_usd / billed_usd; null when nothing was billed.", unit="ratio", nullable=True
    )
    billed_tokens: Quantity = column("Tokens billed.", unit="tokens", nullable=True)
    metered_tokens: Quantity = column("Tokens metered.", unit="tokens", nullable=True)
    cause: str = column(
        "The part of the gap of this key and model that is largest on the day; agrees: the whole "
        "gap is within the tolerance.",
        isin=CAUSES,
    )
    is_settled: bool = column(
        "Whether bill and meter were both read after the day had stopped moving."
    )
    is_within_tolerance: bool = column("Whether the gap of this key and model is small.")
    bypass_usd: Usd = _part("the key has no gateway token")
    cached_tokens_usd: Usd = _part("the two sides count different cached tokens")
    cache_writes_usd: Usd = _part("the two sides count different cache writes")
    price_differs_usd: Usd = _part("the same tokens at different prices")
    unpriced_model_usd: Usd = _part("tokens that the gateway has no price for")
    late_or_unsettled_usd: Usd = _part("a side was read too early")
    day_boundary_usd: Usd = _part("the other side has it on the day before or after")
    missing_on_meter_usd: Usd = _part("billed and never metered")
    missing_on_bill_usd: Usd = _part("metered and never billed")
    unexplained_usd: Usd = _part("none of the above accounts for it")

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = ("day", "connection", "project_id", "api_key_id", "model", "usage_type", "level")
