"""`[anomalies]`: from when a change of spend is news."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from openai_costs.sections.section import Section

Sensitivity = Literal["low", "normal", "high"]
Scoped = Annotated[
    str,
    StringConstraints(
        pattern=r"^(organization|provider|project|user|api_key|model|usage_type)(:.+)?$"
    ),
]


class AnomalyScope(Section):
    """What is different about some series. What is not said is as for all."""

    scope: Scoped
    """A kind of series (`user`), or one of them (`user:user-ada`)."""
    connection: str = "*"
    sensitivity: Sensitivity | None = None
    minimum_usd: Decimal | None = Field(default=None, ge=0)
    minimum_growth_pct: Decimal | None = Field(default=None, ge=0)
    newcomer_usd: Decimal | None = Field(default=None, ge=0)


class Anomalies(Section):
    """From when a change of spend is news."""

    sensitivity: Sensitivity = "normal"
    """How far from what is expected: low 5.5, normal 4.5, high 3.5 spreads."""
    minimum_usd: Decimal = Field(default=Decimal(10), ge=0)
    """A day with fewer dollars above what is expected is never news, ..."""
    minimum_pct: Decimal = Field(default=Decimal(1), ge=0, le=100)
    """... nor one below this share of the organisation's mean day, ..."""
    minimum_growth_pct: Decimal = Field(default=Decimal(25), ge=0)
    """... nor one that grew by less."""
    newcomer_usd: Decimal = Field(default=Decimal(50), ge=0)
    """From how many dollars a day something is news in its first week."""
    critical_usd: Decimal = Field(default=Decimal(500), ge=0)
    """From how many dollars above what was expected an incident is critical."""
    scopes: tuple[AnomalyScope, ...] = ()
