"""What was told, through which channel, and what became of it."""

from openai_costs.tables.contract import At, Contract, column

STATUSES = ("sending", "sent", "waiting", "failed", "unclear", "skipped")


class Deliveries(Contract):
    """What was told through which channel.

    One row per finding, change and channel. A row is written before the message leaves (sending)
    and again afterwards, so that a crash in between is noticed and leads to at most one repetition.
    """

    finding_id: str = column("The finding.")
    change: int = column("The change that is told.", unit="changes")
    channel: str = column("The route of openai_costs.toml.")
    kind: str = column("opened, growing, closed or muted.")
    status: str = column(
        "sending; sent; waiting: tried, will be tried again; failed: given up; unclear: nobody "
        "knows whether it arrived, not sent a third time; skipped: muted or too old to be sent.",
        isin=STATUSES,
    )
    attempt: int = column("How often it was tried.", unit="attempts")
    is_possibly_repeated: bool = column("Whether it may have been sent twice; the message says so.")
    tried_at: At = column("When it was last tried.", unit="UTC timestamp", nullable=True)
    sent_at: At = column("When it was sent; null until then.", unit="UTC timestamp", nullable=True)
    next_try_at: At = column("When it is tried again.", unit="UTC timestamp", nullable=True)
    said: str = column("What the channel said when it did not work; no secret.", nullable=True)

    class Config(Contract.Config):
        """One row per finding, change and channel."""

        unique = ("finding_id", "change", "channel")
