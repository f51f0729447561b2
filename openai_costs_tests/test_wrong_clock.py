"""A clock that is wrong, over the whole of the project: nothing of it is there afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest
from dagster._core.test_utils import freeze_time

from openai_costs.cli.backfill import Headless
from openai_costs.cli.doctor import facts
from openai_costs.cli.run_output import Objections
from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import DayRead
from openai_costs.storage.future_days import SET_ASIDE, future_days
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import (
    MONEY,
    NOW,
    ORGANISATION,
    SETTLED_NOT_RESTATED,
    HandClock,
    House,
    added,
    calm,
    connection,
    day,
    days,
    house,
    only_money,
    untraced,
)
from openai_costs_tests.outputs.alerts.fixtures import finding

if TYPE_CHECKING:
    from pathlib import Path

FIRST = day(17)
AHEAD = timedelta(days=16)
"""Further than the trailing days that a run reads, and than a day takes to settle."""


def backfill(made: House, now: datetime, *, server: datetime | None = None) -> list[str]:
    """Run `backfill` with our clock at one instant and the provider's at another."""
    made.at(now).server_clock = HandClock(server or now)
    made.serve("tidewater")
    lines: list[str] = []
    reach = Reach(lambda one: made.transports[one.name])
    with calm(), untraced(), only_money(), freeze_time(now):
        Headless(made.settings, lines.append, made.clock, reach, Objections()).backfill()
    return lines


def published(made: House, question: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(made.published), read_only=True) as sql:
        return sql.execute(question).fetchall()


def states(made: House) -> dict[date, str]:
    rows = made.lake.read(Coverage).filter(source="costs").select("day", "state").rows()
    return dict(rows)


def doctor(made: House) -> dict[str, str]:
    reach = Reach(lambda one: made.transports[one.name])
    return {fact.about: fact.state for fact in facts(made.settings, made.clock, reach)}


@pytest.fixture(scope="module")
def read_well(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home read by right clocks before the provider restated a day: costs alone."""
    made = house(tmp_path_factory.mktemp("clock") / "home")
    now = SETTLED_NOT_RESTATED
    assert only_costs(made).at(now).run(FIRST, now.date(), only=MONEY).is_green
    return made


@pytest.fixture
def reading_costs(read_well: House, tmp_path: Path) -> House:
    """A copy of that home whose key reads nothing but costs."""
    return read_well.moved_to(tmp_path / "home")


def only_costs(made: House) -> House:
    """Let a key read costs alone, whose days these are: it costs a run less for each backfill."""
    made.connections = (connection("tidewater", access="costs_only", start=FIRST),)
    return made


@pytest.fixture(scope="module")
def ahead(
    read_well: House, tmp_path_factory: pytest.TempPathFactory
) -> tuple[House, list[str], list[tuple[str, ...]]]:
    """The same home after one run with our clock weeks ahead, which reads all there is."""
    made = read_well.moved_to(tmp_path_factory.mktemp("ahead") / "home")
    made.connections = (connection("tidewater", start=FIRST),)
    lines = backfill(made, NOW + AHEAD, server=NOW)
    return made, lines, made.asked("tidewater")  # type: ignore[return-value]


def test_a_clock_ahead_is_reported_once_in_one_sentence(
    ahead: tuple[House, list[str], list[tuple[str, ...]]],
) -> None:
    _, lines, _ = ahead
    told = [line for line in lines if f"{AHEAD.days} days ahead of the server of tidewater" in line]
    assert [line.strip().startswith("This machine's clock") for line in told].count(True) == 1
    assert any(line.startswith("WARN  raw/openai_costs clock_agrees") for line in told)


def test_a_clock_ahead_leaves_no_day_that_has_not_come(
    ahead: tuple[House, list[str], list[tuple[str, ...]]],
) -> None:
    made, _, _ = ahead
    assert future_days(made.archive._root.parent, NOW.date()) == {}  # noqa: SLF001 - the home
    assert max(states(made)) == NOW.date()


def test_a_clock_ahead_reads_the_trailing_days_of_the_day_it_is(
    ahead: tuple[House, list[str], list[tuple[str, ...]]],
) -> None:
    made, _, _ = ahead
    found = states(made)
    assert found[NOW.date()] == found[NOW.date() - ONE_DAY] == "provisional"
    assert found[day(21)] == "settled"
    assert published(made, "SELECT day, change_usd FROM mart.restatements") == [
        (day(18), Decimal("22.80"))
    ]


def test_a_kept_read_has_the_instants_of_both_clocks(
    ahead: tuple[House, list[str], list[tuple[str, ...]]],
) -> None:
    made, _, _ = ahead
    kept = made.newest("tidewater", NOW.date()).manifest
    assert (kept.read_at, kept.server_at, kept.clock_at) == (NOW, NOW, NOW + AHEAD)


def test_doctor_warns_of_the_clock_while_it_is_ahead(
    ahead: tuple[House, list[str], list[tuple[str, ...]]],
) -> None:
    made, _, _ = ahead
    assert doctor(made)["clock"] == "WARN"


def test_one_run_with_a_clock_ahead_changes_nothing_afterwards(
    ahead: tuple[House, list[str], list[tuple[str, ...]]], tmp_path: Path
) -> None:
    made = only_costs(ahead[0].moved_to(tmp_path / "home"))
    later = NOW + timedelta(days=2)  # the restated day is a trailing one still
    backfill(made, later)
    bill = {one: ORGANISATION.ledger(one, later) for one in days(FIRST, later.date())}
    usd = [(one, added(line.amount for line in lines)) for one, lines in bill.items() if lines]
    question = "SELECT day, sum(billed_usd) FROM mart.spend GROUP BY day ORDER BY day"
    assert published(made, question) == usd
    assert states(made) == {one: "settled" if one <= day(23) else "provisional" for one in bill}
    assert doctor(made)["clock"] == "OK"


def test_a_clock_behind_settles_no_day_before_it_says_so_itself(
    reading_costs: House,
) -> None:
    made = reading_costs
    backfill(made, SETTLED_NOT_RESTATED, server=NOW + AHEAD)
    assert max(states(made)) == SETTLED_NOT_RESTATED.date()
    assert states(made)[SETTLED_NOT_RESTATED.date() - ONE_DAY] == "provisional"
    assert doctor(made)["clock"] == "WARN"


def test_what_is_listed_by_a_clock_behind_is_of_the_servers_day(tmp_path: Path) -> None:
    made = house(tmp_path / "home")
    made.connections = (connection("tidewater", start=FIRST),)
    backfill(made, NOW - timedelta(days=2), server=NOW)
    names = made.archive.days("openai", "tidewater", "directory")
    assert names == [NOW.date()]
    assert set(made.lake.read(Projects)["first_seen_day"]) == {NOW.date()}


def test_a_clock_before_the_first_day_reads_nothing_and_says_so(tmp_path: Path) -> None:
    made = house(tmp_path / "home")
    made.connections = (connection("tidewater", start=FIRST),)
    with pytest.raises(SettingsError, match=r"by this machine's clock it is 1970-01-02 12:00 UTC"):
        backfill(made, datetime(1970, 1, 2, 12, tzinfo=UTC), server=NOW)
    assert made.asked("tidewater") == []
    assert made.archive.connections("openai") == []


def test_doctor_names_findings_of_days_that_have_not_come(reading_costs: House) -> None:
    made = reading_costs
    made.at(NOW).server_clock = HandClock(NOW)
    made.serve("tidewater")
    ahead = finding(finding_id="f1a2b3", opened_day=(NOW + AHEAD).date())
    made.lake.replace_whole(Findings, findings_frame([ahead]))
    assert doctor(made)["findings in the future"] == "FAIL"
    made.lake.replace_whole(Findings, findings_frame([finding()]))
    assert "findings in the future" not in doctor(made)


def leave_days_behind(made: House, *, reads: datetime) -> None:
    """Leave in a home what earlier versions did under a clock ahead: days, and a settled one."""
    known = made.newest("tidewater", day(21))
    requests = {part: ("/organization/costs", [], []) for part in known.bodies}
    future = [*DayRange(day(24), day(26))]
    for one in (*future, day(21)):
        read = DayRead("openai", "tidewater", "costs", one, reads, requests, known.bodies)
        made.archive.keep(read)
    for table in TOGETHER[:4]:  # it was killed before the last table
        slices = {Slice("tidewater", one): reads for one in future}
        made.lake.replace(table, [Batch(table.no_rows(), slices)])
    for table in TOGETHER:
        rows = made.lake.read(table, [day(21)])
        made.lake.replace(table, [Batch(rows, {Slice("tidewater", day(21)): reads})])


def test_a_home_with_days_that_have_not_come_heals_by_the_next_backfill(
    reading_costs: House,
) -> None:
    made = reading_costs
    leave_days_behind(made, reads=NOW + AHEAD)
    made.at(NOW).server_clock = HandClock(NOW)
    made.serve("tidewater")
    found = doctor(made)
    assert found["days in the future"] == found["reads in the future"] == "FAIL"
    later = NOW + timedelta(days=4)
    lines = backfill(made, later)
    assert sum("Removed days in the future" in line for line in lines) == 0
    assert max(states(made)) == later.date()
    healed = doctor(made)
    assert not {"days in the future", "reads in the future"} & set(healed)
    assert states(made)[day(21)] == "settled"


def test_days_that_have_not_come_are_named_when_they_are_set_aside(
    reading_costs: House,
) -> None:
    made = reading_costs
    leave_days_behind(made, reads=NOW + AHEAD)
    lines = backfill(made, NOW)
    assert any("tidewater: 3 days, 2026-11-24 to 2026-11-26" in line for line in lines)
    assert made.archive.reads("openai", "tidewater", "costs", day(24)) == []
    aside = made.archive.reads("openai", "tidewater", f"costs{SET_ASIDE}", day(24))
    assert len(aside) == 1
    assert published(made, "SELECT max(day) FROM core.spend_control") == [(NOW.date(),)]
