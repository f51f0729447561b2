"""The delivery log: what was sent through which channel, and the outcome."""

from openai_costs.tables.contract import At, Contract, column

STATUSES = ("sending", "sent", "waiting", "failed", "unclear", "skipped")


class Deliveries(Contract):
    """The delivery log of every change.

    One row per finding, change and channel. A row is written before the message leaves (sending)
    and again afterwards, so that a crash in between is noticed and leads to at most one repetition.
    """

    finding_id: str = column("The finding; `weekly-` and its day for a weekly digest.")
    change: int = column("The number of the change.", unit="changes")
    channel: str = column("The route of openai_costs.toml.")
    kind: str = column("opened, growing, closed or muted; weekly: the weekly digest.")
    status: str = column(
        "sending; sent; waiting: another attempt follows; failed: given up; unclear: it may have "
        "arrived, and is not sent a third time; skipped: muted, too old to be sent, "
        "or outdated by a newer one.",
        isin=STATUSES,
    )
    attempt: int = column("The number of attempts.", unit="attempts")
    is_possibly_repeated: bool = column(
        "Whether it may have been sent twice; the message is marked."
    )
    tried_at: At = column("When the last attempt was.", unit="UTC timestamp", nullable=True)
    sent_at: At = column("When it was sent; null until then.", unit="UTC timestamp", nullable=True)
    next_try_at: At = column("When the next attempt is.", unit="UTC timestamp", nullable=True)
    said: str = column(
        "Why it was not delivered, or a remark of the channel; holds no secret.", nullable=True
    )

    class Config(Contract.Config):
        """One row per finding, change and channel."""

        unique = ("finding_id", "change", "channel")
