"""The gateway of the sample organization: which keys go through it, and what it metered.

Its meter counts what the bill counts, but for three things that are planted: a model it has no
price for, cached tokens that it counts as plain ones, and a key that bypasses it.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from openai_costs.sample.company.organisation import LedgerLine, Organisation


THROUGH_THE_GATEWAY: Final = (
    "key_route_prod",
    "key_route_staging",
    "key_desk_prod",
    "key_search_reindex",
    "key_finance_close",
)

ROUND_IT: Final = "key_labs_new"
"""Created a few days ago; no token names it and it is not allowed to bypass."""

UNPRICED_MODEL: Final = "gpt-6-astra"

FEWER_CACHED: Final = ("key_desk_prod", "gpt-5-mini-2025-08-07")
"""The gateway takes a quarter of these cached tokens for plain input."""

_SIDES: Final = {
    "input": "input",
    "input_tokens": "input",
    "cached input": "cached",
    "cache writes": "write",
    "output": "output",
    "output_tokens": "output",
}

_TOKEN_COLUMNS: Final = ("token_id", "name", "status", "openai_api_key_id")

_SPEND_COLUMNS: Final = (
    "day",
    "token_id",
    "model",
    "upstream_provider",
    "num_model_requests",
    "input_tokens",
    "input_cached_tokens",
    "input_cache_write_tokens",
    "output_tokens",
    "metered_usd",
)

_TOKENS_A_REQUEST: Final = 2_000


@dataclass
class _Counted:
    """Tokens and dollars of one token and model on one day, by kind of token."""

    tokens: defaultdict[str, int]
    usd: defaultdict[str, Decimal]


def allowed_keys(organisation: Organisation) -> list[str]:
    """Return the keys that may bypass the gateway: all but those behind it, and one."""
    kept_out = (*THROUGH_THE_GATEWAY, ROUND_IT)
    return [key.id for key in organisation.fixtures.api_keys if key.id not in kept_out]


def virtual_keys(organisation: Organisation) -> Iterator[tuple[str, str, str, str]]:
    """Yield the gateway's tokens: id, name, status and the OpenAI key each is for."""
    names = organisation.fixtures.key_by_id
    return ((_token(key), names[key].name, "active", key) for key in THROUGH_THE_GATEWAY)


def metered(organisation: Organisation, day: date, as_of: datetime) -> Iterator[dict[str, Any]]:
    """Yield what the gateway metered on a day, by token and model."""
    for row in _metered(day, organisation.ledger(day, as_of)):
        yield dict(zip(_SPEND_COLUMNS, row, strict=True))


def registry_csv(organisation: Organisation) -> str:
    """Return the gateway's registry as a file."""
    return _csv(_TOKEN_COLUMNS, virtual_keys(organisation))


def meter_csv(organisation: Organisation, days: Iterable[date], as_of: datetime) -> str:
    """Return what the gateway metered on some days as a file."""
    return _csv(
        _SPEND_COLUMNS,
        (row for day in days for row in _metered(day, organisation.ledger(day, as_of))),
    )


def _token(key_id: str) -> str:
    return key_id.replace("key_", "gw_", 1)


def _metered(day: date, lines: Iterable[LedgerLine]) -> Iterator[tuple[object, ...]]:
    for (key, model), counted in sorted(_by_key_and_model(lines).items()):
        tokens, usd = counted.tokens, counted.usd
        if (key, model) == FEWER_CACHED and tokens["cached"] and tokens["input"]:
            _forget_cached(tokens, usd)
        whole = sum(tokens.values()) - tokens["output"]
        dollars = Decimal(0) if model == UNPRICED_MODEL else sum(usd.values(), Decimal(0))
        yield (
            day,
            _token(key),
            model,
            "openai",
            max(1, (whole + tokens["output"]) // _TOKENS_A_REQUEST),
            whole,
            tokens["cached"],
            tokens["write"],
            tokens["output"],
            f"{dollars:f}",
        )


def _by_key_and_model(lines: Iterable[LedgerLine]) -> dict[tuple[str, str], _Counted]:
    found: dict[tuple[str, str], _Counted] = {}
    for line in lines:
        model, _, side = line.line_item.partition(", ")
        if line.api_key_id not in THROUGH_THE_GATEWAY or side not in _SIDES or not line.quantity:
            continue
        if not line.amount:
            continue  # moderations are free, and not the gateway's business
        kind = _SIDES[side]
        times = 1000 if line.quantity_unit == "1000_tokens" else 1
        counted = found.setdefault(
            (line.api_key_id, model), _Counted(defaultdict(int), defaultdict(Decimal))
        )
        counted.tokens[kind] += line.quantity * times
        counted.usd[kind] += line.amount
    return found


def _forget_cached(tokens: defaultdict[str, int], usd: defaultdict[str, Decimal]) -> None:
    """Count a quarter of the cached tokens as plain input, at plain input's price."""
    moved = tokens["cached"] // 4
    cached_price = usd["cached"] / tokens["cached"]
    input_price = usd["input"] / tokens["input"]
    tokens["cached"] -= moved
    tokens["input"] += moved
    usd["cached"] -= moved * cached_price
    usd["input"] += moved * input_price


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


# The people the sample organization itself knows: its own directory, as a file. Planted: one
# member it knows by another address, one who left, and one without an entry.

BY_ALIAS: Final = "user-signe"
"""At home in the company's older mail domain."""

LEFT: Final = "user-jonas"

UNLISTED_PERSON: Final = "user-paolo"
"""A contractor: invited by a colleague, in no directory."""

IDLE: Final = ("user-ines", "user-lucia", "user-olu", "user-tobias")
"""Members whose seat is paid for: they spend nothing, or have not for months."""

_OLDER_DOMAIN: Final = "tidewater.example"

_COLUMNS: Final = (
    "person_id", "name", "email", "aliases", "team", "status", "left_day", "openai_user_id"
)  # fmt: skip


def directory_csv(organisation: Organisation) -> str:
    """Return the company's directory as a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for person in organisation.fixtures.people:
        if person.id == UNLISTED_PERSON:
            continue
        name, _, _ = person.email.partition("@")
        is_alias = person.id == BY_ALIAS
        writer.writerow(
            (
                f"tm-{name}",
                person.name,
                f"{name}@{_OLDER_DOMAIN}" if is_alias else person.email,
                person.email if is_alias else "",
                person.team,
                "left" if person.left_day else "active",
                person.left_day or "",
                person.id if person.left_day else "",
            )
        )
    return text.getvalue()
