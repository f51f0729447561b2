"""Addresses of views of the page: what is filtered, grouped, and shown, behind the `#`. Pure.

The script reads and writes the same form (script/address.js). A message may carry such an address:
it opens the very view that the message speaks of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.dimensions import DIMENSIONS, NONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

_IDS: Final = frozenset(one.id for one in DIMENSIONS)
_BROKEN_DOWN_BY: Final = {
    "user": "model",
    "api_key": "model",
    "project": "user",
    "team": "user",
    "model": "user",
    "usage_type": "model",
    "service_tier": "model",
    "connection": "team",
    "provider": "model",
}
"""By what the dollars of one member are best shown."""


def address(
    filters: Mapping[str, str | Sequence[str] | None] | None = None,
    *,
    by: str = "",
    days: tuple[date, date] | None = None,
    compare: str = "",
) -> str:
    """Return the address of a view: `#by=model&user=user-ana&from=2026-10-01&to=2026-10-31`.

    Args:
        filters: The id by dimension, or several; None is "none of them". What is not a dimension is
            left out.
        by: The dimension to group by; without it one that explains the filter.
        days: The first and the last day.
        compare: previous, last_month or last_year.
    """
    known = {key: value for key, value in (filters or {}).items() if key in _IDS}
    group = by or next((_BROKEN_DOWN_BY[key] for key in reversed(known)), "team")
    parts = {"by": group}
    if days:
        parts |= {"from": str(days[0]), "to": str(days[1])}
    if compare:
        parts["compare"] = compare
    texts = {key: quote(value, safe="") for key, value in parts.items()}
    texts |= {key: ",".join(map(_id, _each(value))) for key, value in known.items()}
    return "#" + "&".join(f"{key}={text}" for key, text in texts.items())


def _each(value: str | Sequence[str] | None) -> Sequence[str | None]:
    return [value] if value is None or isinstance(value, str) else value


def _id(value: str | None) -> str:
    return NONE if value is None else quote(without_domains(value), safe="")
