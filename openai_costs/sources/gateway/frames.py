"""core.gateway_spend and core.gateway_tokens from kept reads, whichever reader kept them. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from operator import attrgetter

import polars as pl

from openai_costs.kernel.errors import FileRefused, OpenAICostsError, PageRefused
from openai_costs.kernel.formatting import counted
from openai_costs.kernel.money import NotAnAmount
from openai_costs.settings import Gateway, Upstream
from openai_costs.sources.gateway import registry
from openai_costs.sources.gateway.files import frames as files
from openai_costs.sources.gateway.files.layouts import NAME as FILES
from openai_costs.sources.gateway.listing import Listing
from openai_costs.sources.gateway.litellm import frames as litellm
from openai_costs.sources.gateway.litellm.endpoints import NAME as LITELLM
from openai_costs.sources.gateway.metering import ROWS, MeterRow, day_rows, metered
from openai_costs.sources.list_dates import as_dated
from openai_costs.sources.shrunk_lists import Loss, losses
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.slices import Batch, Slice

_METERS: Mapping[str, Callable[[KeptRead], Iterator[MeterRow]]] = {
    LITELLM: litellm.meter_rows,
    FILES: files.meter_rows,
}
_LISTINGS: Mapping[str, Callable[[KeptRead], Listing]] = {
    LITELLM: litellm.listing,
    FILES: files.listing,
}
PROVIDERS = tuple(_METERS)
"""Who keeps reads of a gateway, in the order in which they are believed."""

_ROWS_A_BATCH = 20_000


def spend_batches(reads: Iterable[KeptRead | DamagedRead]) -> Iterator[Batch]:
    """Yield core.gateway_spend for kept meters; a read that cannot be used refuses its own day."""
    frames, rows = list[pl.DataFrame](), 0
    read_at: dict[Slice, datetime] = {}
    refused: dict[Slice, OpenAICostsError] = {}
    for read in reads:
        if isinstance(read, DamagedRead):
            refused[Slice(read.connection, read.day)] = read.error
            continue
        key = Slice(read.manifest.connection, read.manifest.day)
        try:
            frames.append(_metered(read, key))
            rows += frames[-1].height
            read_at[key] = read.manifest.read_at
        except (PageRefused, FileRefused) as error:
            refused[key] = error
        if rows >= _ROWS_A_BATCH:
            yield _batch(frames, read_at, refused)
            frames, read_at, refused, rows = [], {}, {}, 0
    yield _batch(frames, read_at, refused)


def tokens(
    connection: str,
    reads: Iterable[KeptRead | DamagedRead],
    upstreams: Sequence[Upstream],
    keys: pl.DataFrame,
    read_now: Collection[str] = PROVIDERS,
) -> tuple[pl.DataFrame, list[str]]:
    """Return core.gateway_tokens, and a sentence per kept registry that cannot be used as it is.

    One that lost more than half of its tokens, which it does not list as deleted, is not taken as
    a whole before a registry of another day has as few.

    Args:
        connection: The gateway's name.
        reads: Every kept registry, of one reader after the other.
        upstreams: The keys and projects that settings declare.
        keys: core.api_keys.
        read_now: The readers that settings still name.
    """
    listings, refused = dict[str, list[Listing]](), list[str]()
    for read in reads:
        try:
            if isinstance(read, DamagedRead):
                raise read.error
            provider = read.manifest.provider
            listed = _LISTINGS[provider](as_dated(read))
            its = listings.setdefault(provider, [])
            its.append(replace(listed, is_read_now=provider in read_now))
        except (PageRefused, FileRefused) as error:
            refused.append(str(error))
    believed = list[Listing]()
    for some in listings.values():
        in_order = sorted(some, key=attrgetter("day"))
        lost = list(losses(in_order, _sizes))
        believed += map(_as_believed, in_order, lost)
        if in_order[-1].is_read_now and (loss := lost[-1]) is not None:
            refused.append(_shrunk(in_order[-1], loss))
    return registry.tokens(connection, believed, upstreams, keys), refused


def _sizes(earlier: Listing, newest: Listing) -> tuple[int, int]:
    """Return the tokens of both, without those that the newest one lists as deleted."""
    deleted = {row.token_id for row in newest.tokens() if row.is_deleted}
    had, has = (
        len({row.token_id for row in one.tokens() if not row.is_deleted} - deleted)
        for one in (earlier, newest)
    )
    return had, has


def _as_believed(listed: Listing, loss: Loss | None) -> Listing:
    return listed if loss is None else replace(listed, is_partial=True)


def _shrunk(newest: Listing, loss: Loss) -> str:
    return (
        f"The registry of {newest.day} ({newest.mapping}) has {counted(loss.has, 'token')}, and an "
        f"earlier one has {loss.had:,}: more than half are missing. None of them counts as "
        "deleted, and no key is judged by it, before a registry of another day has as few."
    )


def newest(reads: Iterable[KeptRead | DamagedRead]) -> list[KeptRead | DamagedRead]:
    """Return one read per day, the last one: a gateway may have changed its reader."""
    by_day: dict[date, KeptRead | DamagedRead] = {}
    for read in reads:
        day = read.day if isinstance(read, DamagedRead) else read.manifest.day
        if day not in by_day or _when(read) > _when(by_day[day]):
            by_day[day] = read
    return [by_day[day] for day in sorted(by_day)]


def _when(read: KeptRead | DamagedRead) -> datetime:
    never = datetime.min.replace(tzinfo=UTC)
    return never if isinstance(read, DamagedRead) else read.manifest.read_at


def _metered(read: KeptRead, key: Slice) -> pl.DataFrame:
    provider = read.manifest.provider
    is_partial = provider == FILES and files.is_partial(read)
    try:
        return day_rows(key, _METERS[provider](read), is_partial=is_partial)
    except NotAnAmount as bad:
        raise PageRefused(read.page, "spend", bad.why) from None


def _batch(
    frames: Sequence[pl.DataFrame],
    read_at: Mapping[Slice, datetime],
    refused: Mapping[Slice, OpenAICostsError],
) -> Batch:
    return Batch(metered(pl.concat([ROWS.to_frame(), *frames])), read_at, refused)


def registries(gateway: Gateway) -> tuple[str, ...]:
    """Return the readers of a registry that settings name."""
    is_named = {LITELLM: gateway.litellm_url, FILES: gateway.token_files}
    return tuple(name for name in PROVIDERS if is_named[name])
