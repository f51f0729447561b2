"""How much of each provider's bill the gateway metered, by day, whichever keys it used."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column


class GatewayCapture(Contract):
    """How much of a bill the gateway metered.

    One row per UTC day and provider behind the gateway, over all connections and keys together. It
    needs no mapping of tokens to keys, so it holds where mart.gateway_bypass cannot judge: a rate
    far below 1 says that spend bypasses the gateway, but not whose.
    """

    day: dt.date = column("The UTC day.", unit="UTC day")
    connection: str = column("The gateway: [gateway] name in openai_costs.toml.")
    provider: str = column("The provider whose bill it is.")
    billed_usd: Usd = column("Dollars billed by the provider, without credits.", unit="USD")
    metered_usd: Usd = column("Dollars the gateway metered for it.", unit="USD")
    capture_rate: Quantity = column(
        "metered_usd / billed_usd; null when nothing was billed.", unit="ratio", nullable=True
    )
    billed_tokens: Quantity = column(
        "Tokens billed; null where a line does not say.", unit="tokens", nullable=True
    )
    metered_tokens: Quantity = column("Tokens metered.", unit="tokens", nullable=True)
    token_capture_rate: Quantity = column(
        "metered_tokens / billed_tokens: no price of the gateway changes it.",
        unit="ratio",
        nullable=True,
    )
    is_settled: bool = column(
        "Whether the meter, and the bills of all connections of the provider, were read after the "
        "day had stopped moving: else the rates may be of a part."
    )

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = ("day", "connection", "provider")
