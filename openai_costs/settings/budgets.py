"""`[[budgets]]`: how much may be spent, by whom or on what, and in which period."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from openai_costs.settings.error_texts import SettingRefused, close_to
from openai_costs.settings.section import NoAddress, Number, Section, written_as

BudgetScope = Literal[
    "all", "provider", "connection", "project", "team", "user", "api_key", "model"
]
BudgetPeriod = Literal["daily", "weekly", "monthly", "quarterly", "yearly", "range"]
BudgetName = Annotated[
    str, written_as(r"[^@/|\n]{1,60}", "must have 1 to 60 characters, none of them @, / or |")
]
Percent = Annotated[Number, Field(gt=0, le=1000)]


class Budget(Section):
    """What may be spent in a period. Budgets may overlap and need not add up."""

    name: BudgetName
    scope: BudgetScope = "all"
    id: NoAddress | None = None
    """The provider, connection, project, team, user, API key or model; not set for all."""
    ids: tuple[NoAddress, ...] = ()
    """Several of them, which share the limit; instead of `id`."""
    connection: str = "*"
    """Only what this connection spends; `*` for all of them."""
    period: BudgetPeriod = "monthly"
    limit_usd: Number = Field(gt=0, decimal_places=6)
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

    def refuse_strangers(
        self, number: int, connections: Collection[str], teams: Collection[str]
    ) -> None:
        """Refuse a budget of an unknown connection or team, which would never be exceeded.

        Args:
            number: Its place in the list of budgets.
            connections: The names of those there are.
            teams: The names of those there are.

        Raises:
            SettingRefused: The connection or the team does not exist.
        """
        of_scope = "ids" if self.id is None else "id"
        place = "connection" if self.connection != "*" else of_scope
        self._refuse_unknown("connection", self.connections, connections, (number, place))
        if self.scope == "team":
            self._refuse_unknown("team", self.counted, teams, (number, of_scope))

    def _refuse_unknown(
        self, kind: str, names: Collection[str], known: Collection[str], where: tuple[int, str]
    ) -> None:
        if strange := sorted(set(names) - set(known)):
            hint = close_to(strange[0], known) or "."
            there_are = ", ".join(sorted(known)) or "none"
            raise SettingRefused(
                f"of budget {self.name!r} names the {kind} {strange[0]!r}, which is not in "
                f"[[{kind}s]]{hint} There are: {there_are}",
                ("budgets", *where),
            )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.id is not None and self.ids:
            raise SettingRefused(f"{self.name!r} has both id and ids: put all of them into ids")
        if self.scope == "all" and self.counted:
            raise SettingRefused(
                f"{self.name!r} has an id, but counts all: give it the scope that the id is of"
            )
        if self.scope != "all" and not self.counted:
            raise SettingRefused(
                f"{self.name!r} needs an id, because its scope is {self.scope}: add it"
            )
        if self.period == "range" and (self.start is None or self.end is None):
            raise SettingRefused(f"{self.name!r} needs start and end, because its period is range")
        if self.start and self.end and self.end < self.start:
            raise SettingRefused(f"{self.name!r} ends before it starts: swap start and end")
        return self
