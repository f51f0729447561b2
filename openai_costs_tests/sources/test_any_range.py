"""Whatever days are asked for, and in whichever order, a day of any provider is the same."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from openai_costs.definitions import reach_of
from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.sample.accounts import EVERY_PROVIDER, connection_tables, export_files
from openai_costs.sample.api.serving import sample_address, sample_at
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import silent
from openai_costs.sources.registry import PROVIDERS, provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs_tests.org import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from openai_costs.settings.connection import Connection
    from openai_costs.sources.provider import Provider, RawPages

LONG: Final = 16
LAST: Final = NOW.date()
FIRST: Final = LAST - timedelta(days=LONG - 1)
SPAN: Final = DayRange(FIRST, LAST)
ADDRESS: Final = sample_address(seed=7, days=60, today=LAST)
USES: Final = ("costs", "usage")
Tables = dict[str, pl.DataFrame]


@cache
def exported(provider: str) -> dict[str, bytes]:
    """The bills that a provider exports as files."""
    return export_files(sample_at(ADDRESS), [provider], NOW)


@contextmanager
def company(provider: str) -> Iterator[tuple[Settings, Connection]]:
    """A home that is connected to the sample company at a provider."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        for path, content in exported(provider).items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(content)
        table = next(connection_tables(sample_at(ADDRESS), [provider], ADDRESS))
        kind = next(one.connection for one in PROVIDERS if one.name == provider)
        one = kind.model_validate(table | {"start": FIRST})
        made = Settings(home=folder, config_file=home / "openai_costs.toml", connections=(one,))
        yield made, one


def tables(provider: str, ranges: Iterable[DayRange]) -> Tables:
    """The ledger and the usage of a provider's days after some readings in a new home."""
    with company(provider) as (made, one):
        its = provider_of(one)
        return {name: _table(made, one, its, name, [*ranges]) for name in USES}


def _table(
    made: Settings, one: Connection, its: Provider, name: str, ranges: Sequence[DayRange]
) -> pl.DataFrame:
    archive = Archive(place(made.home))
    source = its.usage if name == "usage" else its.costs
    if source is None:
        return pl.DataFrame()
    pages: RawPages = source.pages
    clean: Callable[..., Iterator[object]] = getattr(source, "usage", None) or its.costs.ledger
    reader = pages.reader(made, archive, lambda: NOW, reach_of(lambda: NOW))
    for days in ranges:
        for read in reader.read(one, days, silent):
            archive.keep(read)
    kept = archive.days(its.name, one.name, pages.dataset)
    reads = archive.newest(its.name, one.name, pages.dataset, kept)
    frames = [batch.frame for batch in clean(reads, one)]  # type: ignore[attr-defined]  # a batch
    frame: pl.DataFrame = pl.concat(frames)
    return frame.filter(pl.col("day").is_between(FIRST, LAST))


@cache
def whole(provider: str) -> Tables:
    """The tables of one reading of all days."""
    return tables(provider, [SPAN])


@pytest.mark.parametrize("provider", EVERY_PROVIDER)
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(cuts=st.sets(st.integers(1, LONG - 1), max_size=5), order=st.randoms(use_true_random=False))
def test_a_day_is_the_same_however_the_days_are_cut_into_readings(
    provider: str, cuts: set[int], order: object
):
    ends = [0, *sorted(cuts), LONG]
    ranges = [
        DayRange(FIRST + first * ONE_DAY, FIRST + (end - 1) * ONE_DAY)
        for first, end in pairwise(ends)
    ]
    order.shuffle(ranges)  # type: ignore[attr-defined]  # a Random
    expected, found = whole(provider), tables(provider, ranges)
    assert all(found[name].equals(expected[name]) for name in USES)
    assert expected["costs"].height > 0


@pytest.mark.parametrize("provider", EVERY_PROVIDER)
def test_a_day_that_is_read_alone_is_as_in_a_reading_of_all_days(provider: str):
    day = FIRST + 6 * ONE_DAY
    found = tables(provider, [DayRange(day, day)])
    for name, expected in whole(provider).items():
        if "day" in expected.columns:
            assert found[name].filter(day=day).equals(expected.filter(day=day))
