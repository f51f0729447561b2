from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from upath import UPath

from openai_costs.kernel.clock_skew import SkewAwareClock
from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    ErrorAnswer,
    IncompleteRead,
    MissingKey,
    OpenAICostsError,
    ProviderUnavailable,
    SettingsError,
)
from openai_costs.sources.ingest import Ingested, Source, ingest, sources
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.provider import Tell
from openai_costs.storage.archive import Archive, DayRead, open_read

DAYS = DayRange(date(2026, 3, 1), date(2026, 3, 3))
NEWEST_FIRST = tuple(reversed(list(DAYS)))
ACME, LABS, SHOP = (OpenAIConnection(name=name) for name in ("acme", "labs", "shop"))
NO_KEY = MissingKey("labs", ["the environment variable LABS_KEY"])
DOWN = ProviderUnavailable("labs", "/organization/costs", "HTTP 503")
REFUSED = AccessRefused(ErrorAnswer("labs", 403, "/organization/costs", "no scope"), "LABS_KEY")


@dataclass
class Reader:
    """Reads every day of a connection, or breaks off with an error after some of them."""

    breaks: Mapping[str, tuple[int, Exception]]

    def read(
        self, connection: OpenAIConnection, days: DayRange, tell: Callable[[str], None]
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


def ingested(
    archive: Archive,
    *connections: OpenAIConnection,
    told: list[str] | None = None,
    **breaks: object,
) -> Ingested:
    said = [] if told is None else told
    reader = Reader(breaks)  # type: ignore[arg-type]
    return ingest(
        sources(lambda one, tell: reader.read(one, DAYS, tell), connections, DAYS),
        archive,
        said.append,
    )


def in_archive(archive: Archive, connection: OpenAIConnection) -> list[date]:
    reads = archive.newest("openai", connection.name, "costs", DAYS)
    return [read.manifest.day for read in reads]


def test_every_day_of_every_connection_is_kept(archive: Archive):
    done = ingested(archive, ACME, LABS)
    assert in_archive(archive, ACME) == in_archive(archive, LABS) == list(DAYS)
    assert done.kept == {name: dict.fromkeys(NEWEST_FIRST, 2) for name in ("acme", "labs")}
    assert (done.failed, done.unread, done.is_nothing) == ({}, {}, False)


@pytest.mark.parametrize("error", [DOWN, REFUSED, NO_KEY])
def test_a_connection_that_fails_never_stops_the_ones_behind_it(
    archive: Archive, error: OpenAICostsError
):
    told: list[str] = []
    done = ingested(archive, ACME, LABS, SHOP, told=told, labs=(0, error))
    assert in_archive(archive, ACME) == in_archive(archive, SHOP) == list(DAYS)
    assert in_archive(archive, LABS) == []
    assert done.failed == {"labs": error}
    assert done.unread == {"labs": set(DAYS)}
    assert not done.is_nothing
    assert str(error) in told


def test_days_kept_before_a_connection_failed_stay_kept(archive: Archive):
    done = ingested(archive, LABS, labs=(2, DOWN))
    assert in_archive(archive, LABS) == sorted(NEWEST_FIRST[:2])
    assert done.unread == {"labs": {DAYS.first}}
    assert not done.is_nothing


def test_days_are_on_disk_before_the_next_one_is_read(archive: Archive):
    seen: list[int] = []

    def note(_line: str) -> None:
        seen.append(len(in_archive(archive, ACME)))

    ingest(sources(lambda one, tell: Reader({}).read(one, DAYS, tell), [ACME], DAYS), archive, note)
    assert seen == [0, 1, 2]


def test_a_failed_connection_owes_no_day_before_its_start(archive: Archive):
    labs = OpenAIConnection(name="labs", start=date(2026, 3, 3))
    done = ingested(archive, labs, labs=(0, DOWN))
    assert done.unread == {"labs": {date(2026, 3, 3)}}


def test_a_read_that_makes_no_sense_is_named_with_its_connection(archive: Archive):
    done = ingested(archive, LABS, labs=(0, IncompleteRead("/costs", "page 2 is empty")))
    assert str(done.failed["labs"]).startswith("labs: GET /costs: page 2 is empty. ")
    assert done.failures_on(DAYS.first) == {"labs": str(done.failed["labs"])}


def test_nothing_at_all_was_read_when_every_connection_failed(archive: Archive):
    done = ingested(archive, ACME, LABS, acme=(0, REFUSED), labs=(0, NO_KEY))
    assert done.is_nothing
    assert not done.may_succeed_later


def test_a_source_without_news_was_read_too(archive: Archive):
    nothing_new = Source("files", lambda _tell: (), owed=list(DAYS))
    nothing_owed = Source("later", lambda _tell: ())
    (refused,) = sources(
        lambda one, tell: Reader({"labs": (0, REFUSED)}).read(one, DAYS, tell), [LABS], DAYS
    )
    assert ingest([nothing_owed, refused], archive, print).is_nothing
    done = ingest([nothing_new, refused], archive, print)
    assert (done.ended, done.is_nothing) == ({"files"}, False)


def test_one_failure_that_may_pass_makes_a_later_try_worthwhile(archive: Archive):
    assert ingested(archive, ACME, LABS, acme=(0, REFUSED), labs=(0, DOWN)).may_succeed_later


def test_no_connections_are_no_failure(archive: Archive):
    assert not ingested(archive).is_nothing


def test_a_mistake_of_ours_is_not_taken_for_a_failed_connection(archive: Archive):
    with pytest.raises(ZeroDivisionError):
        ingested(archive, ACME, acme=(1, ZeroDivisionError()))
    assert in_archive(archive, ACME) == [DAYS.last]


def test_a_kept_day_is_the_day_that_was_read(archive: Archive):
    ingested(archive, ACME)
    (file,) = archive.reads("openai", "acme", "costs", DAYS.first)
    assert dict(open_read(file).bodies) == {"ledger": b"{}"}


# --- where the two earlier copies disagreed: providers' connections, and the gateway's readers ---


def a_read(name: str, dataset: str, body: bytes) -> DayRead:
    read_at = datetime(2026, 3, 9, tzinfo=UTC)
    return DayRead("openai", name, dataset, DAYS.first, read_at, {}, {"ledger": body})


def refuse(_tell: Tell) -> Iterator[DayRead]:
    raise SettingsError("The variable LABS_KEY is not set.")
    yield


def test_settings_that_forbid_a_reading_fail_one_source_of_any_kind(archive: Archive):
    """A provider's connection ended the run with them, and only its missing key did not."""
    told: list[str] = []
    good = Source("acme", lambda _tell: [a_read("acme", "costs", b"{}")], list(DAYS))
    done = ingest([Source("labs", refuse, list(DAYS)), good], archive, told.append)
    assert in_archive(archive, ACME) == [DAYS.first]
    assert done.unread == {"labs": set(DAYS)}
    assert told == ["The variable LABS_KEY is not set."]
    assert done.failures_on(DAYS.last) == {"labs": told[0]}


def ahead_by(days: int) -> SkewAwareClock:
    """A clock of 9 March that is some days ahead of acme's server."""
    ours = datetime(2026, 3, 9, tzinfo=UTC)
    clock = SkewAwareClock(lambda: ours)
    clock.compare("acme", ours - timedelta(days=days))
    return clock


def test_a_read_is_kept_as_of_the_instant_that_is_believed_with_both_clocks_as_evidence(
    archive: Archive,
):
    read = a_read("acme", "costs", b"{}")
    ingest([Source("acme", lambda _tell: [read])], archive, str, ahead_by(7))
    kept = open_read(*archive.reads("openai", "acme", "costs", DAYS.first)).manifest
    assert kept.read_at == kept.server_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert kept.clock_at == datetime(2026, 3, 9, tzinfo=UTC)


def test_a_day_that_has_not_come_by_the_servers_clock_is_not_kept(archive: Archive):
    reader = Reader({})
    given = Source("acme", lambda tell: reader.read(ACME, DAYS, tell), list(DAYS))
    done = ingest([given], archive, str, ahead_by(7))
    assert in_archive(archive, ACME) == sorted(done.kept["acme"]) == [*DAYS][:2]


def test_two_sources_that_keep_the_same_day_add_their_bytes(archive: Archive):
    """Of two gateway readers with a registry, only the bytes of the second were recorded."""
    first = Source("LiteLLM", lambda _tell: [a_read("gateway", "registry", b"{}")])
    second = Source("GatewayFiles", lambda _tell: [a_read("gateway", "tokens", b"[1]")])
    done = ingest([first, second], archive, lambda _line: None)
    assert done.body_bytes == 5


def test_a_day_that_failed_is_owed_by_its_own_source_only(archive: Archive):
    """One failure of a gateway's reader made every day owed that no other reader had kept."""
    down = Source("LiteLLM", refuse, [DAYS.first])
    done = ingest([down, Source("GatewayFiles", lambda _tell: [])], archive, lambda _line: None)
    assert done.failures_on(DAYS.first)
    assert not done.failures_on(DAYS.last)


def test_what_a_read_lacks_is_reported_by_source_and_day(archive: Archive):
    first, second = DAYS.first, DAYS.last
    read_at = datetime(2026, 3, 9, tzinfo=UTC)
    lacking = {"a.csv, line 2": "the cost 'x' is not a number"}
    reads = [
        DayRead("files", "gateway", "meter", first, read_at, {}, {"rows": b"{}"}, lacking),
        DayRead("files", "gateway", "meter", second, read_at, {}, {"rows": b"{}"}),
    ]
    done = ingest([Source("Files", lambda _tell: reads, [first, second])], archive, str)
    assert done.absent == {"Files": {first: lacking}}
    assert (done.failed, done.unread) == ({}, {})
