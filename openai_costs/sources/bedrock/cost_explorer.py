"""Cost Explorer as data: what is asked, and the days in its answers. Pure.

Two requests at most: the dollars of each service, which are the control total and name the services
of Bedrock, and then these services by usage type. Services are never asked for by one name: models
of other makers are services of their own. https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.errors import ReadFailed
from openai_costs.kernel.money import exact
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.bedrock.usage_types import SERVICE
from openai_costs.sources.exports.dialects import Dialect

ACTION: Final = "ce:GetCostAndUsage"
USD_PER_REQUEST: Final = "0.01"
MOST_REQUESTS: Final = 2
MOST_DAYS: Final = 395
"""How far Cost Explorer reaches back: thirteen months before the running one."""

BY_SERVICE: Final = ("SERVICE",)
BY_USAGE_TYPE: Final = ("SERVICE", "USAGE_TYPE")

COST_EXPLORER: Final = Dialect(
    name="Cost Explorer",
    columns={
        "month": ("starts",),
        "starts": ("starts",),
        "category": ("category",),
        "billed": ("billed",),
        "currency": ("currency",),
        "service": ("service",),
        "label": ("usage_type",),
    },
    marks=("usage_type", "starts"),
    written={},
    categories={"usage": "usage"},
)
"""Groups of an answer, as the rows that exports have."""


class Group(msgspec.Struct):
    """The amounts of a service, or of a service and a usage type, on a day."""

    keys: list[str] = msgspec.field(name="Keys")
    metrics: dict[str, dict[str, str]] = msgspec.field(name="Metrics")

    @property
    def cost(self) -> tuple[str, str]:
        """The amount and its currency, as they are written."""
        found = self.metrics["UnblendedCost"]
        return found["Amount"], found["Unit"]


class Period(msgspec.Struct):
    """A day of an answer."""

    period: dict[str, str] = msgspec.field(name="TimePeriod")
    groups: list[Group] = msgspec.field(name="Groups")
    is_estimated: bool = msgspec.field(name="Estimated")

    @property
    def bedrock(self) -> list[Group]:
        """The groups of services of Bedrock."""
        return [one for one in self.groups if SERVICE.search(one.keys[0])]


def request(days: DayRange, by: Sequence[str], services: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arguments of a request for whole days; the end is not included."""
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": str(days.first), "End": str(days.last + ONE_DAY)},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost", "UsageQuantity"],
        "GroupBy": [{"Type": "DIMENSION", "Key": one} for one in by],
    }
    if services:
        asked["Filter"] = {"Dimensions": {"Key": "SERVICE", "Values": list(services)}}
    return asked


def periods(answer: Mapping[str, Any], days: DayRange, connection: str) -> dict[date, Period]:
    """Return the days of an answer.

    Args:
        answer: The answer.
        days: The days that were asked for.
        connection: Whose, for messages.

    Raises:
        ReadFailed: It has further pages, lacks a field or an amount, or is of other days.
    """
    where = f"Connection {connection!r}: Cost Explorer's answer for {days}"
    if answer.get("NextPageToken"):
        raise ReadFailed(
            f"{where} has further pages, which would be paid requests. Nothing was kept. Read "
            "fewer days at a time with openai-costs backfill and --from and --to, or use an export."
        )
    try:
        found = msgspec.convert(answer.get("ResultsByTime"), list[Period])
        by_day = {date.fromisoformat(one.period["Start"]): one for one in found}
        exact([group.cost[0] for one in found for group in one.bedrock])
    except (*UNREADABLE, KeyError, ValueError) as broken:
        raise ReadFailed(f"{where} cannot be used: {broken}. Nothing was kept.") from None
    if set(by_day) != set(days) or len(found) != len(by_day):
        raise ReadFailed(f"{where} is of other days. Nothing was kept.")
    return by_day


def services_of(by_service: Mapping[date, Period]) -> list[str]:
    """Return the services of Bedrock that an answer names, sorted."""
    return sorted({one.keys[0] for period in by_service.values() for one in period.bedrock})


def rows(day: date, period: Period | None) -> pl.DataFrame:
    """Return the groups of a day as rows of text, with their number."""
    found = list(_rows(day, period)) if period else []
    schema = dict.fromkeys(
        ("starts", "category", "service", "usage_type", "billed", "currency", "usage"), pl.String()
    )
    return pl.DataFrame(found, schema=schema, orient="row").with_row_index("row")


def _rows(day: date, period: Period) -> Iterator[dict[str, str]]:
    for one in period.bedrock:
        amount, currency = one.cost
        yield {
            "starts": str(day),
            "category": "usage",
            "service": one.keys[0],
            "usage_type": one.keys[1],
            "billed": amount,
            "currency": currency,
            "usage": one.metrics.get("UsageQuantity", {}).get("Amount", ""),
        }
