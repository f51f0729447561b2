"""Bulk: extra keys and lines, worth cents, that make a day as long as a caller wants it.

Cheap on purpose. One hash a day sets the tone and a multiplication per line does the rest, so
that 50,000 lines a day stay a matter of a fraction of a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.company.activity import PERMILLE, draw
from openai_costs.sample.company.fixtures import ApiKey
from openai_costs.sample.company.prices import PRICE_LIST
from openai_costs.sample.company.workloads import Bought, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from openai_costs.sample.company.fixtures import Fixtures

_ITEMS: Final = tuple(item for item, price in PRICE_LIST.items() if price.unit == "tokens")[:12]
# Owners that work at weekends too: padding must not wake a project that sleeps on Sundays.
_OWNERS: Final = ("svc_acct_route_api", "svc_acct_helpdesk_bot", "svc_acct_indexer")
_SMALLEST_TOKENS: Final = 40
_TOKEN_STEPS: Final = 461
# Knuth's multiplicative hash: neighbours get unrelated numbers.
_GOLDEN: Final = 2_654_435_761


class PaddingLine(NamedTuple):
    """A place, what it buys there, and its usual tokens a day."""

    place: Place
    line_item: str
    tokens: int


def padding_keys(fixtures: Fixtures, count: int, used_at: datetime) -> tuple[ApiKey, ...]:
    """`count` more API keys in use at `used_at`, owned by the service accounts in turn."""
    owners = [account for account in fixtures.service_accounts if account.id in _OWNERS]
    return tuple(
        ApiKey(
            id=f"key_bulk_{index:06d}",
            name=f"bulk {index}",
            redacted_value=f"sk-svcacct-****{index % 10_000:04d}",
            project_id=owner.project_id,
            owner_type="service_account",
            owner_id=owner.id,
            user_id=owner.user_id,
            billed_user_id=owner.user_id,
            metered_user_id=owner.user_id,
            created_at=owner.created_at,
            last_used_at=used_at,
            deleted_at=None,
            is_in_use=True,
        )
        for index in range(count)
        for owner in (owners[index % len(owners)],)
    )


def padding_key_count(lines: int) -> int:
    """How many keys it takes to carry `lines` distinct lines."""
    return -(-lines // len(_ITEMS))


def padding_lines(keys: tuple[ApiKey, ...], count: int) -> tuple[PaddingLine, ...]:
    """`count` lines, no two at the same key and line item."""
    places = [Place(key.project_id, key.billed_user_id, key.id, "unlabeled") for key in keys]
    return tuple(
        PaddingLine(
            places[index // len(_ITEMS)],
            _ITEMS[index % len(_ITEMS)],
            _SMALLEST_TOKENS + index * _GOLDEN % _TOKEN_STEPS,
        )
        for index in range(count)
    )


def padded(lines: tuple[PaddingLine, ...], seed: str, day: date) -> Iterator[Bought]:
    """What every padding line buys on `day`, in tokens."""
    if not lines:
        return
    tone = draw(seed, day, "padding") | 1
    for index, (place, line_item, tokens) in enumerate(lines):
        mixed = (index * _GOLDEN ^ tone) & 0x3FF
        yield Bought(place, line_item, tokens * (PERMILLE + mixed) // PERMILLE)
