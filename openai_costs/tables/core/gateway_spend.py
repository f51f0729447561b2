"""The gateway's meter: what passed through it, and the cost it computed."""

import datetime as dt
from typing import Any

from openai_costs.tables.contract import Contract, Usd, column

METERED, ESTIMATED = "metered", "estimated"
COST_BASES = (METERED, ESTIMATED)


def _tokens(description: str) -> Any:  # noqa: ANN401 - pandera's own field type
    text = f"{description}; null, never 0, where the gateway does not say."
    return column(text, unit="tokens", nullable=True, ge=0)


class GatewaySpend(Contract):
    """What the gateway metered.

    One row per gateway, UTC day, token, provider behind the gateway and model. The day is the UTC
    day on which the gateway received the request. Never add metered to billed dollars: they are
    the same dollars, counted twice.
    """

    connection: str = column("The gateway: [gateway] name in openai_costs.toml.")
    day: dt.date = column("The UTC day the gateway received the requests.", unit="UTC day")
    token_id: str = column("The token's id at the gateway; null if not named.", nullable=True)
    token_name: str = column(
        "The token's alias as the meter has it, without e-mail addresses; null if not named.",
        nullable=True,
    )
    upstream_provider: str = column(
        "The provider behind the gateway: openai, ...; null if not named.", nullable=True
    )
    model: str = column("The model, without a provider prefix.", nullable=True)
    num_model_requests: int = column("Requests.", unit="requests", nullable=True, ge=0)
    input_tokens: int = _tokens("All input tokens, cached ones included")
    input_uncached_tokens: int = _tokens("Input tokens neither read from nor written to the cache")
    input_cached_tokens: int = _tokens("Input tokens read from the provider's cache")
    input_cache_write_tokens: int = _tokens("Input tokens written to the provider's cache")
    output_tokens: int = _tokens("All output tokens")
    metered_usd: Usd = column(
        "The cost the gateway computed; null, never 0, if it priced none of it.",
        unit="USD",
        nullable=True,
    )
    cost_basis: str = column(
        "metered: the gateway's own dollars; estimated: its export has none, and its tokens are "
        "valued at list price.",
        isin=COST_BASES,
    )
    is_unpriced: bool = column("Whether tokens were metered without a price: unknown, not zero.")
    unpriced_tokens: int = column(
        "Tokens metered without a price, as far as the source separates requests.",
        unit="tokens",
        ge=0,
    )
    is_partial: bool = column(
        "Whether the day holds more than was read: rows of it were set aside, so no key is judged "
        "by it."
    )

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = ("connection", "day", "token_id", "upstream_provider", "model")
