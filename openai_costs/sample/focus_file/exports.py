"""FOCUS exports of the sample company: Azure's in runs with manifests, Google's in dated folders.

Azure bills in euro and has the dollars in a column of its own; Google gives a credit, and its file
has services that are not AI. Files by their paths, nothing written here. Pure.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.company.activity import (
    PERMILLE,
    Rhythm,
    growth_permille,
    wobble_permille,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from openai_costs.sample.company.organisation import Organisation

AZURE: Final = "azure/daily"
GOOGLE: Final = "google"
USD_PER_EUR: Final = Decimal("1.08")
RUNS_AT: Final = time(3, 12)
"""When both exports run, with the charges of all days before."""
_SPREAD: Final = 180

COLUMNS: Final = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency"),
    *("BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargeFrequency", "ChargePeriodStart", "ChargePeriodEnd"),
    *("ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost", "InvoiceIssuerName"),
    *("ListCost", "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName"),
    *("PublisherName", "RegionId", "ResourceId", "ServiceCategory", "ServiceName"),
    *("ServiceSubcategory", "SkuId", "SkuMeter", "SubAccountId", "SubAccountName", "Tags"),
)
AZURE_COLUMNS: Final = (*COLUMNS, "x_BilledCostInUsd")


class _Meter(NamedTuple):
    """Something that is bought every day: at a price in dollars for a thousand units."""

    service: str
    meter: str
    category: str
    subcategory: str
    region: str
    account: str
    team: str
    thousands: int
    usd: str
    rhythm: Rhythm = Rhythm.PRODUCT
    unit: str = "Tokens"


_AI: Final = ("AI and Machine Learning", "Generative AI")
_METERS: Final = {
    AZURE: (
        _Meter("Azure OpenAI", "gpt 5.4 Inp glbl Tokens", *_AI, "swedencentral", "ai-prod", "support", 21_000, "0.002"),  # noqa: E501 - a table
        _Meter("Azure OpenAI", "gpt 5.4 Outp glbl Tokens", *_AI, "swedencentral", "ai-prod", "support", 2_600, "0.012"),  # noqa: E501
        _Meter("Azure OpenAI", "gpt 5.4 cchd Inp glbl Tokens", *_AI, "swedencentral", "ai-prod", "support", 34_000, "0.0002"),  # noqa: E501
        _Meter("Foundry Models", "Mistral Large Inp Tokens", *_AI, "westeurope", "ai-lab", "labs", 2_100, "0.002", Rhythm.OFFICE),  # noqa: E501
        _Meter("Storage", "Hot LRS Data Stored", "Storage", "Object Storage", "westeurope", "ai-prod", "platform", 3, "1.5", Rhythm.ALWAYS, "GB"),  # noqa: E501
    ),
    GOOGLE: (
        _Meter("Vertex AI", "Gemini 3.1 Pro Text Input", *_AI, "europe-west4", "tidewater-maps", "search", 9_000, "0.002"),  # noqa: E501
        _Meter("Vertex AI", "Gemini 3.1 Pro Text Output", *_AI, "europe-west4", "tidewater-maps", "search", 1_300, "0.012"),  # noqa: E501
        _Meter("Gemini API", "Gemini 3.1 Flash Image Input", *_AI, "global", "tidewater-tiles", "studio", 6_500, "0.0003"),  # noqa: E501
        _Meter("Cloud Translation API", "Text translation", "AI and Machine Learning", "Natural Language Processing", "global", "tidewater-maps", "studio", 400, "0.02", Rhythm.OFFICE, "Characters"),  # noqa: E501
        _Meter("Compute Engine", "N2 Instance Core", "Compute", "Virtual Machines", "europe-west4", "tidewater-maps", "platform", 1, "31", Rhythm.ALWAYS, "Hours"),  # noqa: E501
    ),
}  # fmt: skip
_WHO: Final = {
    AZURE: ("Microsoft", "/providers/Microsoft.Billing/billingAccounts/77310", "EUR"),
    GOOGLE: ("Google Cloud", "01A2B3-C4D5E6-F70812", "USD"),
}


def exports(organisation: Organisation, now: datetime) -> dict[str, bytes]:
    """Return the files of both exports by their paths, as they are at an instant."""
    return dict([*_azure(organisation, now), *_google(organisation, now)])


def _azure(organisation: Organisation, now: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield a run for each month; that of the running month was preceded by one a day before."""
    for days in _months(organisation, now):
        last = _ran_at(days[-1], now)
        earlier = last - timedelta(days=1)
        runs = [last] if len(days) == 1 else [earlier, last]
        for ran_at in runs:
            held = [day for day in days if day < ran_at.date()]
            text = _csv(AZURE_COLUMNS, _rows(organisation, AZURE, held))
            first, final = days[0].replace(day=1), _next_month(days[0]) - timedelta(days=1)
            folder = f"{AZURE}/{first:%Y%m%d}-{final:%Y%m%d}/{ran_at:%Y%m%d%H%M}/{_run_id(ran_at)}"
            blob = f"{folder}/part_0_0001.csv"
            yield blob, text
            manifest = {
                "manifestVersion": "2024-04-01",
                "blobCount": 1,
                "exportConfig": {"exportName": "daily", "timeFrame": "MonthToDate"},
                "runInfo": {
                    "runId": _run_id(ran_at),
                    "submittedTime": ran_at.isoformat(),
                    "startDate": f"{first}T00:00:00",
                    "endDate": f"{final}T00:00:00",
                },
                "blobs": [{"blobName": blob, "byteCount": len(text)}],
            }
            yield f"{folder}/manifest.json", json.dumps(manifest, indent=1).encode()


def _google(organisation: Organisation, now: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield a scheduled export of the table, a folder for each run: each month as it ended."""
    for days in _months(organisation, now):
        ran_at = _ran_at(days[-1], now)
        held = [day for day in days if day < ran_at.date()]
        text = _csv(COLUMNS, _rows(organisation, GOOGLE, held))
        month = f"{days[0]:%Y-%m}"
        yield f"{GOOGLE}/{month}/run={ran_at:%Y%m%dT%H%M%SZ}/000000000000.csv", text


def _rows(
    organisation: Organisation, export: str, days: Iterable[date]
) -> Iterator[dict[str, object]]:
    for day in days:
        for number, meter in enumerate(_METERS[export]):
            if units := _units(organisation, export, number, day):
                yield _usage(export, meter, day, units)
        if export == GOOGLE and day.day % 7 == 1:
            yield _credit(day)


def _units(organisation: Organisation, export: str, number: int, day: date) -> int:
    meter = _METERS[export][number]
    size = meter.rhythm.value[day.weekday()] * growth_permille((organisation.today - day).days)
    size *= wobble_permille(_SPREAD, organisation.seed, export, number, day)
    return meter.thousands * 1000 * size // PERMILLE**3


def _usage(export: str, meter: _Meter, day: date, units: int) -> dict[str, object]:
    usd = Decimal(meter.usd) * units / 1000
    row = _charge(export, meter, day, usd)
    tags = json.dumps({"team": meter.team})
    return row | {
        "ChargeCategory": "Usage",
        "ChargeDescription": meter.meter,
        "ConsumedQuantity": units,
        "ConsumedUnit": meter.unit,
        "PricingQuantity": f"{Decimal(units) / 1000:f}",
        "PricingUnit": f"1000 {meter.unit}",
        "Tags": tags,
    }


def _credit(day: date) -> dict[str, object]:
    meter = _METERS[GOOGLE][0]
    row = _charge(GOOGLE, meter, day, Decimal("-2.5"))
    words = {"ChargeDescription": "Promotional credit", "SkuMeter": ""}
    return row | {"ChargeCategory": "Credit"} | words


def _charge(export: str, meter: _Meter, day: date, usd: Decimal) -> dict[str, object]:
    vendor, account, currency = _WHO[export]
    amount = f"{usd / USD_PER_EUR if currency == 'EUR' else usd:.10f}"
    costs = dict.fromkeys(("BilledCost", "ListCost", "EffectiveCost", "ContractedCost"), amount)
    in_usd = {"x_BilledCostInUsd": f"{usd:f}"} if currency == "EUR" else {}
    named = dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), vendor)
    return {
        **costs,
        **in_usd,
        **named,
        "BillingAccountId": account,
        "BillingAccountName": "Tidewater Maps",
        "BillingCurrency": currency,
        "BillingPeriodStart": f"{day.replace(day=1)}T00:00:00Z",
        "BillingPeriodEnd": f"{_next_month(day)}T00:00:00Z",
        "ChargePeriodStart": f"{day}T00:00:00Z",
        "ChargePeriodEnd": f"{day + timedelta(days=1)}T00:00:00Z",
        "ChargeFrequency": "Usage-Based",
        "PricingCategory": "Standard",
        "RegionId": meter.region,
        "ServiceCategory": meter.category,
        "ServiceName": meter.service,
        "ServiceSubcategory": meter.subcategory,
        "SkuMeter": meter.meter,
        "SubAccountId": meter.account,
        "SubAccountName": meter.account,
    }


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _months(organisation: Organisation, now: datetime) -> Iterator[list[date]]:
    """Yield the days that are over, a list for each month."""
    months: dict[date, list[date]] = {}
    day = organisation.first_day
    while day < now.date():
        months.setdefault(day.replace(day=1), []).append(day)
        day += timedelta(days=1)
    yield from months.values()


def _ran_at(last: date, now: datetime) -> datetime:
    """Return when the newest run with some last day was; a closed month has one days after."""
    closed = datetime.combine(_next_month(last) + timedelta(days=4), RUNS_AT, UTC)
    daily = datetime.combine(now.date(), RUNS_AT, UTC)
    return min(closed, daily if daily <= now else daily - timedelta(days=1))


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _run_id(ran_at: datetime) -> str:
    return f"{int(ran_at.timestamp()):08x}-77f1-4c1e-9a52-5d20f8b7c3aa"
