"""What a page of usage says, field by field.

Pure: bytes in, a row of Python's values for each result out. A count that is gone refuses the page:
missing is not zero.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import polars as pl

from openai_costs.sources.anthropic.page_shape import (
    ACTORS,
    UNASKED,
    Group,
    decoded,
    new_fields,
    plain,
    refuse_renamed,
    remark_of,
    unknown_values,
)
from openai_costs.sources.anthropic.usage.endpoints import DATASET, USAGE_REPORT
from openai_costs.storage.archive import KeptRead

MOST: Final = 10**15
"""More than anyone uses in a day: a count that says so is a mistake, and would burst a sum."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]

TEXTS: Final = ("workspace_id", "api_key_id", "user_id", "model", "service_tier")
COUNTS: Final = ("uncached", "cached", "written_5m", "written_1h", "output", "searches", "requests")
SCHEMA: Final = dict.fromkeys(TEXTS, pl.String()) | dict.fromkeys(COUNTS, pl.Int64())


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: Count
    ephemeral_1h_input_tokens: Count


class _ServerTools(msgspec.Struct):
    web_search_requests: Count = 0


class _Tokens(msgspec.Struct, kw_only=True):
    uncached_input_tokens: Count
    cache_read_input_tokens: Count
    cache_creation: _CacheCreation
    output_tokens: Count
    server_tool_use: _ServerTools | None = None
    total_tokens: Count | None = None
    requests: Count | None = None

    @property
    def counts(self) -> tuple[int | None, ...]:
        """The counts, in the order of `COUNTS`."""
        return (
            self.uncached_input_tokens,
            self.cache_read_input_tokens,
            self.cache_creation.ephemeral_5m_input_tokens,
            self.cache_creation.ephemeral_1h_input_tokens,
            self.output_tokens,
            self.server_tool_use.web_search_requests if self.server_tool_use else 0,
            self.requests,
        )


class _Row(msgspec.Struct):
    starting_at: str
    ending_at: str
    group: Group
    usage: _Tokens


class _Result(_Tokens):
    workspace_id: str | None = None
    api_key_id: str | None = None
    account_id: str | None = None
    service_account_id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    context_window: str | None = None
    inference_geo: str | None = None
    speed: str | None = None


class _Bucket(msgspec.Struct):
    results: list[_Result]
    starting_at: str | None = None
    ending_at: str | None = None


_GROUP: Final = (*Group.__struct_fields__, *UNASKED)
_INSIDE: Final = {
    "cache_creation": _CacheCreation.__struct_fields__,
    "server_tool_use": _ServerTools.__struct_fields__,
}
_ROW: Final = {"": _Row.__struct_fields__, "group": _GROUP}


class Page(NamedTuple):
    """What a kept read of usage says.

    Args:
        rows: A row for each result, in the order of `SCHEMA`; "" is null.
        remarks: What is new to us in it.
    """

    rows: Sequence[tuple[Any, ...]]
    remarks: Sequence[str]


def page(read: KeptRead) -> Page:
    """Return the usage of a kept read.

    Raises:
        PageRefused: A count or a dimension is gone, has another type or makes no sense.
    """
    name, body, part = read.page_of(DATASET), read.bodies[DATASET], read.manifest.parts[DATASET]
    is_older = part.path == USAGE_REPORT.path
    return _older(body, name) if is_older else _newer(body, name, part.grouping)


def _newer(body: bytes, name: str, grouping: Sequence[str]) -> Page:
    rows = decoded(body, _Row, name).data
    loose = plain(body)
    used = [one["usage"] for one in loose]
    new = new_fields(loose, _ROW) | new_fields(used, {"": _Tokens.__struct_fields__, **_INSIDE})
    refuse_renamed([one["group"] for one in loose], grouping, new, name)
    actors = [one.group.actor for one in rows]
    strange = unknown_values("actor.type", (one.type for one in actors if one), ACTORS)
    return Page(list(map(_of_row, rows)), [*remark_of(new), *strange])


def _older(body: bytes, name: str) -> Page:
    buckets = decoded(body, _Bucket, name).data
    results = [one for bucket in buckets for one in bucket.results]
    loose = [one for bucket in plain(body) for one in bucket["results"]]
    new = new_fields(loose, {"": _Result.__struct_fields__, **_INSIDE})
    return Page(list(map(_of_result, results)), list(remark_of(new)))


def _of_row(row: _Row) -> tuple[Any, ...]:
    group, actor = row.group, row.group.actor
    key = group.api_key_id or (actor.api_key_id if actor else None)
    user = actor.id if actor else None
    texts = (group.workspace_id, key, user, group.model, group.service_tier)
    return (*(one or None for one in texts), *row.usage.counts)


def _of_result(one: _Result) -> tuple[Any, ...]:
    user = one.account_id or one.service_account_id
    texts = (one.workspace_id, one.api_key_id, user, one.model, one.service_tier)
    return (*(text or None for text in texts), *one.counts)


def missing(read: KeptRead) -> Iterator[str]:
    """Yield remarks about what the provider did not give."""
    for message in read.manifest.absent.values():
        yield (
            "read from the older usage report, because the analytics API is refused; the "
            f"provider's message: {message!r}"
        )
