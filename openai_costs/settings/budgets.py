"""`[[budgets]]`: how much may be spent, by whom or on what, and in which period."""

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
    """What may be spent in a period. Budgets may overlap and need not add up."""

    name: Annotated[str, StringConstraints(pattern=r"^[^@/|]{1,60}$")]
    scope: BudgetScope = "all"
    id: NoAddress | None = None
    """The provider, connection, project, team, user, API key or model; not set for all."""
    ids: tuple[NoAddress, ...] = ()
    """Several of them, which share the limit; instead of `id`."""
    connection: str = "*"
    """Only what this connection spends; `*` for all of them."""
    period: BudgetPeriod = "monthly"
    limit_usd: Decimal = Field(gt=0, le=10**12, decimal_places=6)
    thresholds_pct: tuple[Percent, ...] = (Decimal(50), Decimal(80))
    """Each is reported once a period; spending more than the limit is always reported."""
    forecast: bool = True
    """Whether to report that the period is forecast to exceed its limit."""
    start: date | None = None
    end: date | None = None
    """The first and the last day of the budget; with the period `range` they are the period."""
    owner: NoAddress | None = None

    @property
    def counted(self) -> tuple[str, ...]:
        """The ids it counts; empty for all."""
        return self.ids if self.id is None else (self.id,)

    @property
    def connections(self) -> tuple[str, ...]:
        """The connections whose days it depends on; empty for all of them."""
        if self.connection != "*":
            return (self.connection,)
        return self.counted if self.scope == "connection" else ()

    def refuse_strangers(self, known: Collection[str]) -> None:
        """Refuse a budget of an unknown connection, which would never be exceeded.

        Raises:
            ValueError: The connection does not exist.
        """
        if strange := sorted(set(self.connections) - set(known)):
            raise ValueError(
                f"budget {self.name!r} names the connection {strange[0]!r}, which does not exist; "
                f"there are: {', '.join(sorted(known))}"
            )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.id is not None and self.ids:
            raise ValueError(f"budget {self.name!r} has both id and ids; put all of them into ids")
        if (self.scope == "all") == bool(self.counted):
            raise ValueError(
                f"budget {self.name!r}: the scope all takes no id; any other scope needs one"
            )
        if self.period == "range" and (self.start is None or self.end is None):
            raise ValueError(f"budget {self.name!r}: the period range needs a start and an end")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"budget {self.name!r}: ends before it starts; swap start and end")
        return self
