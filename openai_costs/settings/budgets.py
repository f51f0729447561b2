"""`[[budgets]]`: what may be spent, by whom or on what, and in which time."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from openai_costs.settings.section import NoAddress, Section

BudgetScope = Literal[
    "all", "provider", "connection", "project", "team", "user", "api_key", "model"
]
BudgetPeriod = Literal["daily", "weekly", "monthly", "quarterly", "yearly", "range"]
Percent = Annotated[Decimal, Field(gt=0, le=1000)]


class Budget(Section):
    """What may be spent in a period. Budgets may lie within one another and need not add up."""

    name: Annotated[str, StringConstraints(pattern=r"^[^@/|]{1,60}$")]
    scope: BudgetScope = "all"
    id: NoAddress | None = None
    """The provider, connection, project, team, user, API key or model; none for all."""
    ids: tuple[NoAddress, ...] = ()
    """Several of them, which share the limit; instead of `id`."""
    connection: str = "*"
    """Only what this connection spends; `*` for all of them."""
    period: BudgetPeriod = "monthly"
    limit_usd: Decimal = Field(gt=0, le=10**12, decimal_places=6)
    thresholds_pct: tuple[Percent, ...] = (Decimal(50), Decimal(80))
    """Each is told once a period; that the whole is spent is told in any case."""
    forecast: bool = True
    """Whether to tell when the period is on its way above the limit."""
    start: date | None = None
    end: date | None = None
    """The first and the last day it is for; with the period `range` they are the period."""
    owner: NoAddress | None = None

    @property
    def counted(self) -> tuple[str, ...]:
        """The ids it counts; none for all."""
        return self.ids if self.id is None else (self.id,)

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections whose days it depends on; none for all of them."""
        if self.connection != "*":
            return (self.connection,)
        return self.counted if self.scope == "connection" else ()

    def refuse_strangers(self, known: Collection[str]) -> None:
        """Refuse a budget of a connection that is not there: it would warn nobody.

        Raises:
            ValueError: There is no such connection.
        """
        if strange := sorted(set(self.connections) - set(known)):
            raise ValueError(
                f"budget {self.name!r} is of connection {strange[0]!r}, which is not there; there "
                f"are: {', '.join(sorted(known))}"
            )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.id is not None and self.ids:
            raise ValueError(f"budget {self.name!r}: has id and ids; write all of them into ids")
        if (self.scope == "all") == bool(self.counted):
            raise ValueError(
                f"budget {self.name!r}: scope all has no id, any other scope needs one"
            )
        if self.period == "range" and (self.start is None or self.end is None):
            raise ValueError(f"budget {self.name!r}: the period range needs start and end")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"budget {self.name!r}: ends before it starts; swap start and end")
        return self
