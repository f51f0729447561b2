from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    ErrorAnswer,
    MissingKey,
    OpenAICostsError,
    ProviderUnavailable,
)
from openai_costs.settings.load import Connection
from openai_costs.sources.raw_pages import Collected, collect
from openai_costs.storage.archive import Archive, DayRead, open_read

DAYS = DayRange(date(2026, 3, 1), date(2026, 3, 3))
NEWEST_FIRST = tuple(reversed(list(DAYS)))
ACME, LABS, SHOP = (Connection(name=name) for name in ("acme", "labs", "shop"))
NO_KEY = MissingKey("labs", ["the environment variable LABS_KEY"])
DOWN = ProviderUnavailable("labs", "/organization/costs", "HTTP 503")
REFUSED = AccessRefused(ErrorAnswer("labs", 403, "/organization/costs", "no scope"), "LABS_KEY")


@dataclass
class Reader:
    """Reads every day of a connection, or breaks off with an error after some of them."""

    breaks: Mapping[str, tuple[int, Exception]]

    def read(
        self, connection: Connection, days: DayRange, tell: Callable[[str], None]
    ) -> Iterator[DayRead]:
        after, error = self.breaks.get(connection.name, (len(days), None))
        for day in NEWEST_FIRST[:after]:
            tell(f"{connection.name} {day}")
            read_at = datetime(2026, 3, 9, tzinfo=UTC)
            yield DayRead("openai", connection.name, "costs", day, read_at, {}, {"ledger": b"{}"})
        if error is not None:
            raise error


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(UPath(tmp_path))


def collected(
    archive: Archive, *connections: Connection, told: list[str] | None = None, **breaks: object
) -> Collected:
    said = [] if told is None else told
    return collect(Reader(breaks), archive, connections, DAYS, said.append)  # type: ignore[arg-type]


def in_archive(archive: Archive, connection: Connection) -> list[date]:
    reads = archive.newest("openai", connection.name, "costs", DAYS)
    return [read.manifest.day for read in reads]


def test_every_day_of_every_connection_is_kept(archive: Archive):
    done = collected(archive, ACME, LABS)
    assert in_archive(archive, ACME) == in_archive(archive, LABS) == list(DAYS)
    assert done.kept == {name: dict.fromkeys(NEWEST_FIRST, 2) for name in ("acme", "labs")}
    assert (done.failed, done.unread, done.is_nothing) == ({}, {}, False)


@pytest.mark.parametrize("error", [DOWN, REFUSED, NO_KEY])
def test_a_connection_that_fails_never_stops_the_ones_behind_it(
    archive: Archive, error: OpenAICostsError
):
    told: list[str] = []
    done = collected(archive, ACME, LABS, SHOP, told=told, labs=(0, error))
    assert in_archive(archive, ACME) == in_archive(archive, SHOP) == list(DAYS)
    assert in_archive(archive, LABS) == []
    assert done.failed == {"labs": error}
    assert done.unread == {"labs": set(DAYS)}
    assert not done.is_nothing
    assert str(error) in told


def test_days_kept_before_a_connection_failed_stay_kept(archive: Archive):
    done = collected(archive, LABS, labs=(2, DOWN))
    assert in_archive(archive, LABS) == sorted(NEWEST_FIRST[:2])
    assert done.unread == {"labs": {DAYS.first}}
    assert not done.is_nothing


def test_days_are_on_disk_before_the_next_one_is_read(archive: Archive):
    seen: list[int] = []
    collect(
        Reader({}), archive, [ACME], DAYS, lambda _line: seen.append(len(in_archive(archive, ACME)))
    )
    assert seen == [0, 1, 2]


def test_a_failed_connection_owes_no_day_before_its_start(archive: Archive):
    labs = Connection(name="labs", start=date(2026, 3, 3))
    done = collected(archive, labs, labs=(0, DOWN))
    assert done.unread == {"labs": {date(2026, 3, 3)}}


def test_nothing_at_all_was_read_when_every_connection_failed(archive: Archive):
    done = collected(archive, ACME, LABS, acme=(0, REFUSED), labs=(0, NO_KEY))
    assert done.is_nothing
    assert not done.may_succeed_later


def test_one_failure_that_may_pass_makes_a_later_try_worthwhile(archive: Archive):
    assert collected(archive, ACME, LABS, acme=(0, REFUSED), labs=(0, DOWN)).may_succeed_later


def test_no_connections_are_no_failure(archive: Archive):
    assert not collected(archive).is_nothing


def test_a_mistake_of_ours_is_not_taken_for_a_failed_connection(archive: Archive):
    with pytest.raises(ZeroDivisionError):
        collected(archive, ACME, acme=(1, ZeroDivisionError()))
    assert in_archive(archive, ACME) == [DAYS.last]


def test_a_kept_day_is_the_day_that_was_read(archive: Archive):
    collected(archive, ACME)
    (file,) = archive.reads("openai", "acme", "costs", DAYS.first)
    assert dict(open_read(file).bodies) == {"ledger": b"{}"}
