"""What a cost page says, field by field: known, merely new, or not to be trusted.

Pure: bytes in, typed results out. Digits stay as they were written: a float never exists.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from openai_costs.archive import KeptRead
from openai_costs.errors import CurrencyRefused, PageRefused
from openai_costs.sources.openai.endpoints import COSTS


class _Amount(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    value: Any
    currency: str


class Result(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A cost result. Fields behind the blank line are on the wire and in no document."""

    amount: _Amount
    object: str = COSTS.result_object
    line_item: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    api_source: str | None = None
    quantity: Any = None
    quantity_unit: str | None = None

    organization_id: str | None = None
    organization_name: str | None = None
    project_name: str | None = None
    user_email: str | None = None


class _Bucket(msgspec.Struct, forbid_unknown_fields=True):
    results: list[Result]
    object: str = "bucket"
    start_time: int = 0
    end_time: int = 0
    start_time_iso: str | None = None
    end_time_iso: str | None = None


class _LooseAmount(_Amount, forbid_unknown_fields=False, gc=False):
    """An amount that may carry fields we do not know."""


class _LooseResult(Result, forbid_unknown_fields=False, gc=False):
    """A result that may carry fields we do not know."""

    amount: _LooseAmount


class _LooseBucket(msgspec.Struct):
    results: list[dict[str, Any]]


# float_hook=str keeps every digit.
_strict = msgspec.json.Decoder(_Bucket, float_hook=str)
_loose = msgspec.json.Decoder(_LooseBucket, float_hook=str)


def page_name(read: KeptRead, part: str) -> str:
    """Return what a person finds the page by: its file in the archive and the member inside."""
    return f"{read.page}!{part}.json"


def results(read: KeptRead, part: str) -> tuple[Sequence[Result], str]:
    """Return a part's results, and a remark about anything new in them (empty: nothing new).

    Raises:
        PageRefused: A field we rely on is gone or has another type.
        CurrencyRefused: An amount is not in dollars.
    """
    page, body = page_name(read, part), read.bodies[part]
    try:
        found: Sequence[Result] = _strict.decode(body).results
        objects = sorted({result.object for result in found} - {COSTS.result_object})
        remark = f"unknown objects, counted: {', '.join(objects)}" if objects else ""
    except (msgspec.DecodeError, UnicodeDecodeError) as unexpected:
        found, remark = _loosely(body, read.manifest.parts[part].grouping, page, str(unexpected))
    _refuse_other_currencies(found, page)
    return found, remark


def _loosely(
    body: bytes, grouping: Sequence[str], page: str, unexpected: str
) -> tuple[Sequence[Result], str]:
    """Accept what is merely new; refuse what we rely on and cannot find."""
    known = set(Result.__struct_fields__)
    try:
        loose = _loose.decode(body).results
        kept = msgspec.convert(
            [{k: v for k, v in one.items() if k in known} for one in loose], list[_LooseResult]
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as gone:
        raise PageRefused(page, _where(str(gone)), f"is not what it was: {gone}") from None
    new = sorted({name for one in loose for name in one if name not in known})
    for dimension in grouping:
        if new and loose and not any(dimension in one for one in loose):
            why = f"is gone from every result, while {', '.join(new)} is new: renamed?"
            raise PageRefused(page, f"results[].{dimension}", why)
    return kept, f"unknown fields, kept in raw: {', '.join(new) or unexpected}"


def _where(message: str) -> str:
    path = message.rpartition("`$")[2].strip("`") if "`$" in message else ""
    missing = message.partition("missing required field `")[2].partition("`")[0]
    whole = ".".join(part for part in (path.removeprefix(".results"), missing) if part)
    return whole if missing == "results" else f"results{whole}"


def _refuse_other_currencies(results: Sequence[Result], page: str) -> None:
    if strange := {result.amount.currency for result in results} - {"usd", "USD"}:
        why = f"is {', '.join(sorted(strange))}; this ledger adds dollars to dollars only"
        raise CurrencyRefused(page, "results[].amount.currency", why)
