"""The gateway of the sample organization: which keys go through it, and what it metered.

Its meter counts what the bill counts, but for three things that are planted: a model it has no
price for, cached tokens that it counts as plain ones, and a key that bypasses it. Planted to be
understood: one virtual key was rotated, several share two OpenAI keys that the gateway picks by
model, and a fine-tuned model has its whole name here.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
"""Keys that have a virtual key of their own."""


class SharedToken(NamedTuple):
    """A virtual key whose requests the gateway sends with one of its keys, by model.

    Args:
        token_id: The gateway's id.
        name: Its alias.
        share_pct: Its share of what the shared keys use.
    """

    token_id: str
    name: str
    share_pct: int


SHARED_TOKENS: Final = (
    SharedToken("gw_shared_chat", "internal chat", 50),
    SharedToken("gw_shared_notes", "release notes", 30),
    SharedToken("gw_shared_lab", "notebooks", 20),
)

PICKED_BY_MODEL: Final = {"key_shared_large": "gpt-5.4*", "key_shared_small": "gpt-5-mini*"}
"""The keys behind the shared tokens, and the models that the gateway sends with each."""

ROTATED: Final = "key_route_prod"
ROTATED_AGE: Final = 25
BEFORE_THE_ROTATION: Final = "gw_route_prod_first"
"""The hash that the virtual key of `ROTATED` had until then: on the meter, and in no list."""

TUNED: Final = {
    "ft-gpt-4o-mini-2024-07-18": "ft:gpt-4o-mini-2024-07-18:tidewater-maps:tickets:c41kq9x"
}
"""Fine-tuned models of the bill, by the names under which the gateway asks for them."""

ROUND_IT: Final = "key_labs_new"
"""Created a few days ago; no token names it and it is not allowed to bypass."""

UNPRICED_MODEL: Final = "gpt-6-astra"

FEWER_CACHED: Final = ("key_desk_prod", "gpt-5-mini-2025-08-07")
"""The gateway takes a quarter of these cached tokens for plain input."""

_BEHIND_IT: Final = (*THROUGH_THE_GATEWAY, *PICKED_BY_MODEL)

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
    "token_name",
)

_TOKENS_A_REQUEST: Final = 2_000


@dataclass
class _Counted:
    """Tokens and dollars of one token and model on one day, by kind of token."""

    tokens: defaultdict[str, int]
    usd: defaultdict[str, Decimal]

    def times(self, part: int, whole: int) -> _Counted:
        """Return a part of it in whole tokens, at its own prices."""
        made = _Counted(defaultdict(int), defaultdict(Decimal))
        for kind, count in self.tokens.items():
            if count:
                made.tokens[kind] = count * part // whole
                made.usd[kind] = self.usd[kind] / count * made.tokens[kind]
        return made

    def without(self, other: _Counted) -> _Counted:
        """Return what is left of it."""
        tokens = {kind: count - other.tokens[kind] for kind, count in self.tokens.items()}
        usd = {kind: amount - other.usd[kind] for kind, amount in self.usd.items()}
        return _Counted(defaultdict(int, tokens), defaultdict(Decimal, usd))


def allowed_keys(organisation: Organisation) -> list[str]:
    """Return the keys that may bypass the gateway: all but those behind it, and one."""
    kept_out = (*THROUGH_THE_GATEWAY, *PICKED_BY_MODEL, ROUND_IT)
    return [key.id for key in organisation.fixtures.api_keys if key.id not in kept_out]


def virtual_keys(organisation: Organisation) -> Iterator[tuple[str, str, str, str]]:
    """Yield the gateway's tokens: id, name, status and the OpenAI key each is for, or nothing."""
    names = organisation.fixtures.key_by_id
    for key in THROUGH_THE_GATEWAY:
        yield _token(key), names[key].name, "active", key
    for shared in SHARED_TOKENS:
        yield shared.token_id, shared.name, "active", ""


def metered(organisation: Organisation, day: date, as_of: datetime) -> Iterator[dict[str, Any]]:
    """Yield what the gateway metered on a day, by token and model."""
    for row in _metered(organisation, day, as_of):
        yield dict(zip(_SPEND_COLUMNS, row, strict=True))


def registry_csv(organisation: Organisation) -> str:
    """Return the gateway's registry as a file."""
    return _csv(_TOKEN_COLUMNS, virtual_keys(organisation))


def meter_csv(organisation: Organisation, days: Iterable[date], as_of: datetime) -> str:
    """Return what the gateway metered on some days as a file."""
    rows = (row for day in days for row in _metered(organisation, day, as_of))
    return _csv(_SPEND_COLUMNS, rows)


def _token(key_id: str) -> str:
    return key_id.replace("key_", "gw_", 1)


def _metered(
    organisation: Organisation, day: date, as_of: datetime
) -> Iterator[tuple[object, ...]]:
    names = organisation.fixtures.key_by_id
    is_before = day < organisation.today - timedelta(days=ROTATED_AGE)
    lines = organisation.ledger(day, as_of)
    for (key, model), counted in sorted(_by_key_and_model(lines).items()):
        if (key, model) == FEWER_CACHED and counted.tokens["cached"] and counted.tokens["input"]:
            _forget_cached(counted)
        if key in PICKED_BY_MODEL:
            for shared, part in _shares(counted):
                yield _row(day, shared.token_id, shared.name, model, part)
        else:
            token = BEFORE_THE_ROTATION if is_before and key == ROTATED else _token(key)
            yield _row(day, token, names[key].name, model, counted)


def _row(day: date, token: str, name: str, model: str, counted: _Counted) -> tuple[object, ...]:
    tokens, usd = counted.tokens, counted.usd
    whole = sum(tokens.values()) - tokens["output"]
    dollars = Decimal(0) if model == UNPRICED_MODEL else sum(usd.values(), Decimal(0))
    return (
        day,
        token,
        TUNED.get(model, model),
        "openai",
        max(1, (whole + tokens["output"]) // _TOKENS_A_REQUEST),
        whole,
        tokens["cached"],
        tokens["write"],
        tokens["output"],
        f"{dollars:f}",
        name,
    )


def _shares(counted: _Counted) -> Iterator[tuple[SharedToken, _Counted]]:
    """Yield what each shared token used; together it is exactly what their key used."""
    left = counted
    for shared in SHARED_TOKENS[:-1]:
        part = counted.times(shared.share_pct, 100)
        left = left.without(part)
        yield shared, part
    yield SHARED_TOKENS[-1], left


def _by_key_and_model(lines: Iterable[LedgerLine]) -> dict[tuple[str, str], _Counted]:
    found: dict[tuple[str, str], _Counted] = {}
    for line in lines:
        model, _, side = line.line_item.partition(", ")
        if line.api_key_id not in _BEHIND_IT or side not in _SIDES or not line.quantity:
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


def _forget_cached(counted: _Counted) -> None:
    """Count a quarter of the cached tokens as plain input, at plain input's price."""
    tokens, usd = counted.tokens, counted.usd
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
