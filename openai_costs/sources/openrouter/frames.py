"""core.spend and core.usage from kept activity: what OpenRouter bills, and what it only counts.

`usage` is on OpenRouter's bill. `byok_usage_inference` is on the bill of whoever hosts the model,
to the owner of the key that the requests were made with: such a row is metered, and no dollar of it
is in a sum of billed dollars. Pure.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

import msgspec

from openai_costs.kernel.money import exact_sum
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings.connection import Connection
from openai_costs.sources.day_ledger import DayRows, ledger_of, usage_of
from openai_costs.sources.openrouter.endpoints import NAME
from openai_costs.sources.openrouter.protocol import CONTROL, LEDGER, WORKSPACES
from openai_costs.sources.page_fields import Natural, dollars, new_fields, plain, typed
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.tables.core.spend import BILLED, METERED

GROUPING: Final = "project_id,line_item"
ENDPOINT: Final = "activity"


class Entry(msgspec.Struct):
    """A row of the activity of a day."""

    date: str
    model: str
    usage: Decimal
    byok_usage_inference: Decimal
    model_permaslug: str | None = None
    endpoint_id: str | None = None
    provider_name: str | None = None
    requests: Natural | None = None
    prompt_tokens: Natural | None = None
    completion_tokens: Natural | None = None
    reasoning_tokens: Natural | None = None
    workspace_id: str | None = None

    @property
    def maker(self) -> str:
        """Who made the model: what stands before the slash of its slug."""
        return self.model.partition("/")[0] if "/" in self.model else NAME

    @property
    def plain_model(self) -> str:
        """The model without its maker."""
        return self.model.rpartition("/")[2]

    @property
    def label(self) -> str:
        """A label made of OpenRouter's words: it has none of its own."""
        return " | ".join(filter(None, (self.model, self.provider_name)))

    @property
    def upstream(self) -> str:
        """Who bills what is used with one's own key: the host of the model, as one word."""
        return (self.provider_name or self.maker).casefold().replace(" ", "_")


class _Answer(msgspec.Struct):
    data: list[Entry]


class _Sum(msgspec.Struct):
    """A row of the same day without groups: it is there for its dollars."""

    usage: Decimal
    byok_usage_inference: Decimal | None = None


class _Sums(msgspec.Struct):
    data: list[_Sum]


def _rows(read: KeptRead, _connection: Connection) -> DayRows:
    entries = typed(read, LEDGER, _Answer).data
    usage = dollars(read, LEDGER, _USAGE, [one.usage for one in entries])
    own_key = dollars(read, LEDGER, _OWN_KEY, [one.byok_usage_inference for one in entries])
    priced = list(zip(entries, usage, own_key, strict=True))
    billed = [_row(one) | {"billed_usd": usd} for one, usd, own in priced if usd or not own]
    metered = [_of_upstream(one) | {"billed_usd": own} for one, _, own in priced if own]
    remarks = (*new_fields(plain(read.bodies[LEDGER], "data"), Entry), *_missing(read))
    return DayRows([*billed, *metered], remarks, _totals(read, has_own=any(own_key)))


def _row(one: Entry) -> dict[str, Any]:
    return {
        "provider": one.maker,
        "host": NAME,
        "project_id": one.workspace_id or None,
        "line_item": one.label,
        "model": one.plain_model,
        "quantity": one.requests,
        "quantity_unit": None if one.requests is None else "requests",
        "cost_basis": BILLED,
        "grouping": GROUPING,
    }


def _of_upstream(one: Entry) -> dict[str, Any]:
    """Return what is used with one's own key, and billed by the upstream."""
    return _row(one) | {
        "host": one.upstream,
        "line_item": f"{one.label} | own key",
        "quantity": None,
        "quantity_unit": None,
        "cost_basis": METERED,
    }


_USAGE: Final = "data[{}].usage"
_OWN_KEY: Final = "data[{}].byok_usage_inference"


def _totals(read: KeptRead, *, has_own: bool) -> Mapping[str, Decimal]:
    """Return what the day as a whole adds up to, of each cost basis that the page has amounts of.

    A page without amounts of one's own keys is not a total of them: the rows are added up then.

    Args:
        read: Whose page.
        has_own: Whether a row has such an amount.
    """
    sums = typed(read, CONTROL, _Sums).data
    billed = exact_sum(dollars(read, CONTROL, _USAGE, [one.usage for one in sums]))
    own = [one.byok_usage_inference for one in sums if one.byok_usage_inference is not None]
    of_own_keys = exact_sum(dollars(read, CONTROL, _OWN_KEY, own))
    is_known = len(own) == len(sums) and (of_own_keys or has_own)
    return {BILLED: billed} | ({METERED: of_own_keys} if is_known else {})


def _missing(read: KeptRead) -> Iterator[str]:
    """Yield a remark about what OpenRouter did not give."""
    if message := read.manifest.absent.get(WORKSPACES):
        yield f"read without workspaces, which are refused; the provider's message: {message!r}"


def _used(read: KeptRead, _connection: Connection) -> DayRows:
    entries = typed(read, LEDGER, _Answer).data
    rows = [
        {
            "endpoint": ENDPOINT,
            "project_id": one.workspace_id or None,
            "model": one.plain_model,
            "input_tokens": one.prompt_tokens,
            "output_tokens": one.completion_tokens,
            "num_model_requests": one.requests,
        }
        for one in entries
    ]
    return DayRows(rows)


def owned_ids(read: DayRead | KeptRead) -> set[str]:
    """Return the workspaces in a read: one account has them and no other."""
    with suppress(KeyError, *UNREADABLE):  # what is wrong is said when it is cleaned
        found = msgspec.json.decode(read.bodies[LEDGER], type=_Answer).data
        return {one.workspace_id for one in found if one.workspace_id}
    return set()


ledger = ledger_of(_rows)
used = usage_of(_used)
