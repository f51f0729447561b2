"""What a read of usage says, endpoint by endpoint and field by field.

The shape of each endpoint's results is made from its entry in `endpoints`. Pure: bytes in, typed
results out; a count is a whole number or a decimal, never a float.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from openai_costs.kernel.errors import PageRefused
from openai_costs.sources.batching import Understood
from openai_costs.sources.openai import page_shape
from openai_costs.sources.openai.page_shape import Shape
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS, UsageEndpoint
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Slice

MOST: Final = 10**15
"""More than anyone uses in a day: a count that says so is a mistake, and would burst a sum."""

MOST_DECIMALS: Final = 18
Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]

_BATCH: Final = {"true": True, "false": False, "": None}
"""`batch` was met as a bool, as its name, and as null."""


class UsagePage(NamedTuple):
    """One endpoint's page of one day, understood as far as its fields.

    Args:
        slice: The connection and day.
        name: The page's name, for messages.
        endpoint: Whose page it is.
        results: Its results, with the wire's own field names.
    """

    slice: Slice
    name: str
    endpoint: UsageEndpoint
    results: Sequence[Any]


def understood(read: KeptRead) -> Understood[UsagePage]:
    """Return the pages of a read, with a remark about what is new in them or absent.

    Raises:
        PageRefused: A count or a dimension is gone, has another type or makes no sense.
    """
    there = [one for one in USAGE_ENDPOINTS if one.dataset in read.bodies]
    key = Slice(read.manifest.connection, read.manifest.day)
    remarks = [
        f"{part} is missing; the provider's message: {message!r}"
        for part, message in sorted(read.manifest.absent.items())
    ]
    pages = []
    for endpoint in there:
        found, new = _results(read, endpoint)
        pages.append(UsagePage(key, read.page_of(endpoint.dataset), endpoint, found))
        remarks += [f"{endpoint.dataset}: {remark}" for remark in new]
    size = sum(len(read.bodies[endpoint.dataset]) for endpoint in there)
    return Understood(pages, "; ".join(remarks), size)


def _results(read: KeptRead, endpoint: UsageEndpoint) -> tuple[Sequence[Any], list[str]]:
    part = endpoint.dataset
    page, grouping = read.page_of(part), read.manifest.parts[part].grouping
    found, remarks = _SHAPES[part].results(read.bodies[part], grouping, page)
    if endpoint.measures.quantity:
        _refuse_odd_quantities(found, endpoint.measures.quantity[0], page)
    if "batch" in endpoint.dimensions:
        remarks += _settle_batch(found)
    return found, remarks


def _refuse_odd_quantities(results: Sequence[Any], field: str, page: str) -> None:
    get: Callable[[Any], Decimal] = attrgetter(field)
    for row, quantity in enumerate(map(get, results)):
        if not _is_count(quantity):
            why = f"is {quantity}, which is not a count from 0 to {MOST:,}"
            raise PageRefused(page, f"results[{row}].{field}", why)


def _is_count(quantity: Decimal) -> bool:
    if not quantity.is_finite() or not 0 <= quantity <= MOST:
        return False
    exponent = quantity.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DECIMALS


def _settle_batch(results: Sequence[Any]) -> Iterator[str]:
    """Turn the names of truth values into truth values; yield a remark about any other word."""
    words = [one for one in results if isinstance(one.batch, str)]
    strange = sorted({one.batch for one in words if one.batch.lower() not in _BATCH})
    for one in words:
        one.batch = _BATCH.get(one.batch.lower())
    if strange:
        yield f"unknown values of batch, taken for unknown: {', '.join(strange)}"


def _shape(endpoint: UsageEndpoint) -> Shape[Any]:
    measures = endpoint.measures
    fields: list[tuple[str, Any, Any]] = [("object", str, endpoint.result_object)]
    fields += [
        (name, bool | str | None if name == "batch" else str | None, None)
        for name in endpoint.dimensions
    ]
    fields += [(name, Count | None, None) for name in measures.optional]
    required: list[tuple[str, Any]] = [(name, Count) for name in measures.required]
    if measures.quantity:
        required.append((measures.quantity[0], Decimal))
    result = msgspec.defstruct(
        endpoint.dataset,
        [*required, *fields],
        bases=(page_shape.Result,),
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
    )
    return Shape(result, endpoint.result_object, allows_unknown=True)


_SHAPES: Final = {endpoint.dataset: _shape(endpoint) for endpoint in USAGE_ENDPOINTS}
