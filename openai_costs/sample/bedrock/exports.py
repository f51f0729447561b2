"""A CUR 2.0 export of the sample company: a file for each month, written anew, with its manifest.

Bedrock's own models, models of other makers through the marketplace, a credit, and services that
are not AI. A part of an older run lies beside the newest one. Files by their paths. Pure.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import timedelta
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
    from datetime import date, datetime

    from openai_costs.sample.company.organisation import Organisation

EXPORT: Final = "aws/tidewater-cur"
PAYER: Final = "440011223344"
_ACCOUNTS: Final = {"maps": "440011223355", "labs": "440011223366"}
ACCOUNTS_OF_TEAMS: Final = {
    "platform": (_ACCOUNTS["maps"],),
    "labs": (_ACCOUNTS["labs"],),
}
"""Whose money an account's is where no person is known."""

_SPREAD: Final = 170
_CREDIT_USD: Final = Decimal("-4.2")

COLUMNS: Final = (
    *("bill_billing_period_start_date", "bill_billing_entity", "bill_invoicing_entity"),
    *("bill_payer_account_id", "line_item_usage_account_id", "line_item_line_item_type"),
    *("line_item_usage_start_date", "line_item_usage_end_date", "line_item_product_code"),
    *("product", "product_region_code", "line_item_usage_type", "line_item_operation"),
    *("line_item_line_item_description", "line_item_iam_principal", "line_item_usage_amount"),
    *("pricing_unit", "pricing_public_on_demand_cost", "line_item_currency_code"),
    *("line_item_unblended_cost", "tags"),
)


class _Meter(NamedTuple):
    """Something that is bought every day: thousands of units, at dollars for a thousand."""

    service: str
    usage_type: str
    account: str
    principal: str
    thousands: int
    usd: str
    unit: str = "1K tokens"
    rhythm: Rhythm = Rhythm.PRODUCT


_GATEWAY: Final = f"arn:aws:sts::{_ACCOUNTS['maps']}:assumed-role/ModelGateway/i-0f3a"
_KEY: Final = f"arn:aws:iam::{_ACCOUNTS['labs']}:user/BedrockAPIKey-k7w2"
_PERSON: Final = f"arn:aws:iam::{_ACCOUNTS['labs']}:user/hyejin"
_HAIKU: Final = "Claude Haiku 4.5 (Amazon Bedrock Edition)"
_OWN: Final = "Amazon Bedrock"

_METERS: Final = (
    _Meter(_OWN, "USE1-Claude4.6Sonnet-input-tokens", "maps", _GATEWAY, 7_000, "0.003"),
    _Meter(_OWN, "USE1-Claude4.6Sonnet-output-tokens", "maps", _GATEWAY, 900, "0.015"),
    _Meter(
        _OWN,
        "USE1-Claude4.6Sonnet-cache-read-input-token-count",
        "maps",
        _GATEWAY,
        12_000,
        "0.0003",
    ),
    _Meter(
        _OWN,
        "EUC1-Nova2.0Lite-input-tokens-flex",
        "labs",
        _KEY,
        9_000,
        "0.000165",
        rhythm=Rhythm.OFFICE,
    ),
    _Meter(_HAIKU, "USE1-MP:USE1_InputTokenCount-Units", "labs", _PERSON, 2, "1.1", "Units"),
    _Meter(
        _HAIKU, "USE1-MP:USE1_OutputTokenCount_Global-Units", "labs", _PERSON, 1, "5.5", "Units"
    ),
    _Meter("Amazon Simple Storage Service", "TimedStorage-ByteHrs", "maps", "", 1, "2.3", "GB-Mo"),
)


def exports(organisation: Organisation, now: datetime) -> dict[str, bytes]:
    """Return the files of the export by their paths, as they are at an instant."""
    return dict(_files(organisation, now))


def _files(organisation: Organisation, now: datetime) -> Iterator[tuple[str, bytes]]:
    months: dict[date, list[date]] = {}
    day = organisation.first_day
    while day < now.date():
        months.setdefault(day.replace(day=1), []).append(day)
        day += timedelta(days=1)
    for month, days in months.items():
        partition = f"BILLING_PERIOD={month:%Y-%m}"
        file = f"{EXPORT}/data/{partition}/tidewater-cur-00001.csv.gz"
        yield file, _packed(_rows(organisation, days))
        yield file.replace("00001", "00002"), _packed(_rows(organisation, days[:1]))
        manifest = {"dataFiles": [f"s3://tidewater-billing/{file}"]}
        name = f"{EXPORT}/metadata/{partition}/tidewater-cur-Manifest.json"
        yield name, json.dumps(manifest, indent=1).encode()


def _rows(organisation: Organisation, days: Iterable[date]) -> Iterator[dict[str, object]]:
    for day in days:
        for number, meter in enumerate(_METERS):
            size = meter.rhythm.value[day.weekday()]
            size *= growth_permille((organisation.today - day).days)
            size *= wobble_permille(_SPREAD, organisation.seed, "aws", number, day)
            if units := meter.thousands * 1000 * size // PERMILLE**3:
                yield _row(meter, day, "Usage", Decimal(units) / 1000)
        if day.day == 1:
            yield _row(_METERS[0], day, "Credit", Decimal(0)) | {
                "line_item_unblended_cost": f"{_CREDIT_USD:f}",
                "pricing_public_on_demand_cost": "",
                "line_item_usage_amount": "",
            }


def _row(meter: _Meter, day: date, kind: str, thousands: Decimal) -> dict[str, object]:
    usd = f"{Decimal(meter.usd) * thousands:f}"
    is_market = "-MP:" in meter.usage_type
    return {
        "bill_billing_period_start_date": f"{day.replace(day=1)}T00:00:00.000Z",
        "bill_billing_entity": "AWS Marketplace" if is_market else "AWS",
        "bill_invoicing_entity": "Amazon Web Services, Inc.",
        "bill_payer_account_id": PAYER,
        "line_item_usage_account_id": _ACCOUNTS[meter.account],
        "line_item_line_item_type": kind,
        "line_item_usage_start_date": f"{day}T00:00:00.000Z",
        "line_item_usage_end_date": f"{day + timedelta(days=1)}T00:00:00.000Z",
        "line_item_product_code": "3gqu4wsample" if is_market else "AmazonBedrock",
        "product": json.dumps({"product_name": meter.service, "region": "us-east-1"}),
        "product_region_code": "us-east-1",
        "line_item_usage_type": meter.usage_type,
        "line_item_operation": "Usage" if is_market else "InvokeModelInference",
        "line_item_iam_principal": meter.principal,
        "line_item_usage_amount": f"{thousands:f}",
        "pricing_unit": meter.unit,
        "pricing_public_on_demand_cost": usd,
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": usd,
        "tags": json.dumps({"iamPrincipal/team": meter.account}),
    }


def _packed(rows: Iterable[Mapping[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(COLUMNS), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)
