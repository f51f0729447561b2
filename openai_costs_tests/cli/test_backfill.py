import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from openai_costs import definitions
from openai_costs.cli.backfill import Headless
from openai_costs.cli.backfill_names import (
    Judging,
    directories_due,
    is_governance_due,
    judging,
)
from openai_costs.cli.backfill_plan import Step, from_kept_pages, plan, plan_offline
from openai_costs.cli.doctor_files import judged_facts
from openai_costs.cli.graphs import Wanted, every
from openai_costs.cli.run_output import WHAT_TO_DO, RunFailedError, Stopped
from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.orchestration.jobs import (
    DERIVE,
    DIRECTORY,
    PUBLISH,
    RANGE_END,
    RANGE_START,
    REBUILD,
    REFRESH,
    range_tags,
    stale_requests,
)
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.questions.to_derive import days_to_derive
from openai_costs.sample.api.options import USUAL
from openai_costs.settings import Directory, Gateway, Reading, Team, Upstream
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import (
    HandClock,
    House,
    calm,
    connection,
    day,
    house,
    only_money,
    organisation_of,
    untraced,
)

TODAY = date(2026, 3, 20)
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
PUBLISHES = "all days: findings, database and page"
OF_THE_GATEWAY = (
    "mart/gateway_bypass",
    "mart/gateway_capture",
    "mart/cost_reconciliation",
    "mart/unspent_keys",
)
RUN_ID = "4f6a1f0e-5f0a-4b7e-9a43-0c1f4a4f7c11"


@contextmanager
def quiet(*questions: str) -> Iterator[None]:
    """Run headless, and make no more than money and what is asked for."""
    with calm(), untraced(), only_money(*questions):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    connections = tuple(
        OpenAIConnection(name=name, start=date(2026, 3, 1)) for name in ("acme", "harbour")
    )
    return Settings(
        home=str(tmp_path),
        config_file=Path("openai_costs.toml"),
        connections=connections,
        reading=Reading(trailing_days=2),
    )


def have(
    settings: Settings,
    name: str,
    days: DayRange,
    tables: Sequence[type[Contract]] = TOGETHER,
    read_at: datetime = NOON,
) -> None:
    """Give a connection the tables that are published together, or some of them."""
    slices = {Slice(name, day): read_at for day in days}
    for table in tables:
        Lake(place(settings.home)).replace(table, [Batch(table.no_rows(), slices)])


def keep(settings: Settings, name: str, day: date) -> None:
    """Give a connection the kept pages of a day."""
    bodies = {"ledger": b"{}", "control": b"{}"}
    requests = {part: ("/organization/costs", [], []) for part in bodies}
    read = DayRead("openai", name, "costs", day, NOON, requests, bodies)
    Archive(place(settings.home)).keep(read)


def told(steps: list[Step]) -> list[tuple[str, str, str]]:
    return [
        (step.job_name, ",".join(c.name for c in step.settings.asked_connections), str(step.days))
        for step in steps
    ]


TRAILING = (REFRESH, "acme,harbour", "2026-03-18 to 2026-03-20")


def test_a_range_asked_for_is_read_from_every_connection_at_once(settings: Settings) -> None:
    asked = DayRange(date(2026, 3, 2), date(2026, 3, 4))
    assert told(plan(settings, asked, NOON)) == [
        (REFRESH, "acme,harbour", "2026-03-02 to 2026-03-04")
    ]


def test_a_connection_that_misses_days_does_not_make_the_other_read_again(
    settings: Settings,
) -> None:
    have(settings, "acme", DayRange(date(2026, 3, 1), TODAY))
    assert told(plan(settings, None, NOON)) == [
        (REFRESH, "harbour", "2026-03-01 to 2026-03-17"),
        TRAILING,
    ]


def test_days_that_are_kept_from_before_a_later_start_are_made_again_and_not_read(
    settings: Settings,
) -> None:
    early = date(2026, 2, 20)
    keep(settings, "acme", early)
    have(settings, "acme", DayRange(early, early), TOGETHER[:1])
    for name in ("acme", "harbour"):
        have(settings, name, DayRange(date(2026, 3, 1), TODAY))
    asked = plan(settings, None, NOON)
    assert told(asked) == [(REBUILD, "acme", "2026-02-20"), TRAILING]
    starts = {one.name: one.start for one in asked[0].settings.connections}
    assert starts == {"acme": early, "harbour": date(2026, 3, 1)}
    assert told(from_kept_pages(settings, None, TODAY)) == [(REBUILD, "acme,harbour", "2026-02-20")]


def test_days_with_kept_pages_are_made_without_a_request(settings: Settings) -> None:
    have(settings, "acme", DayRange(date(2026, 3, 1), TODAY))
    have(settings, "harbour", DayRange(date(2026, 3, 4), TODAY))
    keep(settings, "harbour", date(2026, 3, 2))
    assert told(plan(settings, None, NOON)) == [
        (REBUILD, "harbour", "2026-03-02"),
        (REFRESH, "harbour", "2026-03-01"),
        (REFRESH, "harbour", "2026-03-03"),
        TRAILING,
    ]


def test_a_day_that_a_killed_run_left_in_part_is_made_again(settings: Settings) -> None:
    third, ninth = date(2026, 3, 3), date(2026, 3, 9)
    have(settings, "acme", DayRange(date(2026, 3, 1), TODAY))
    for days in (DayRange(date(2026, 3, 1), date(2026, 3, 8)), DayRange(date(2026, 3, 10), TODAY)):
        have(settings, "harbour", days)
    have(settings, "harbour", DayRange(ninth, ninth), TOGETHER[:-1])  # as a kill leaves it
    keep(settings, "acme", third)
    have(settings, "acme", DayRange(third, third), TOGETHER[:4], NOON + timedelta(hours=1))
    assert told(plan(settings, None, NOON)) == [
        (REBUILD, "acme", "2026-03-03"),
        (REFRESH, "harbour", "2026-03-09"),
        TRAILING,
    ]


@pytest.mark.parametrize("missing", [1, 3], ids=["between marts", "between ledger and marts"])
def test_what_a_killed_run_left_in_part_is_made_again_whichever_days_are_asked_of_whom(
    settings: Settings, missing: int
) -> None:
    third, asked = date(2026, 3, 3), DayRange(date(2026, 3, 9), date(2026, 3, 9))
    for name in ("acme", "harbour"):
        have(settings, name, DayRange(date(2026, 3, 1), TODAY))
    for one in (third, TODAY):
        keep(settings, "acme", one)
        have(settings, "acme", DayRange(one, one), TOGETHER[:-missing], NOON + timedelta(hours=1))
    again = [(REBUILD, "acme", "2026-03-03"), (REBUILD, "acme", "2026-03-20")]
    harbour = (REFRESH, "harbour", "2026-03-09")
    assert told(plan(settings.only("harbour"), asked, NOON)) == [harbour, *again]
    assert told(plan(settings, None, NOON)) == [again[0], TRAILING, again[1]]
    [page] = Archive(place(settings.home)).reads("openai", "acme", "costs", TODAY)
    page.write_bytes(b"damaged")
    assert told(plan(settings, None, NOON)) == [again[0], TRAILING], "it is read as well"
    assert told(plan(settings.only("harbour"), asked, NOON)) == [harbour, *again], "it says so"
    keep(settings, "harbour", asked.first)
    offline = told(plan_offline(settings.only("harbour"), asked, NOON))
    assert offline == [(REBUILD, *harbour[1:]), *again]


def test_when_nothing_is_missing_only_the_trailing_days_are_read(settings: Settings) -> None:
    for name in ("acme", "harbour"):
        have(settings, name, DayRange(date(2026, 3, 1), TODAY))
    assert told(plan(settings, None, NOON)) == [TRAILING]


def test_offline_means_every_kept_day_and_no_other(settings: Settings) -> None:
    assert from_kept_pages(settings, None, TODAY) == []
    keep(settings, "acme", date(2026, 3, 5))
    keep(settings, "harbour", date(2026, 3, 6))
    assert told(from_kept_pages(settings, None, TODAY)) == [
        (REBUILD, "acme,harbour", "2026-03-05 to 2026-03-06")
    ]


def use(settings: Settings, name: str, days: DayRange) -> None:
    """Give a connection usage of some days."""
    slices = {Slice(name, day): NOON for day in days}
    Lake(place(settings.home)).replace(Usage, [Batch(Usage.no_rows(), slices)])


def test_days_without_usage_are_owed_once_usage_was_ever_given(settings: Settings) -> None:
    for name in ("acme", "harbour"):
        have(settings, name, DayRange(date(2026, 3, 1), TODAY))
    use(settings, "acme", DayRange(date(2026, 3, 11), TODAY))
    assert told(plan(settings, None, NOON)) == [
        (REFRESH, "acme", "2026-03-01 to 2026-03-10"),
        TRAILING,
    ]


def test_pages_of_costs_alone_do_not_replace_a_reading_of_usage(settings: Settings) -> None:
    for name in ("acme", "harbour"):
        have(settings, name, DayRange(date(2026, 3, 1), TODAY))
    use(settings, "acme", DayRange(date(2026, 3, 2), TODAY))
    keep(settings, "acme", date(2026, 3, 1))
    assert told(plan(settings, None, NOON)) == [(REFRESH, "acme", "2026-03-01"), TRAILING]


def test_names_are_asked_for_once_a_day_and_never_where_only_costs_are_given(
    settings: Settings,
) -> None:
    costs_only = settings.connections[1].model_copy(update={"access": "costs_only"})
    settings = settings.model_copy(update={"connections": (settings.connections[0], costs_only)})
    assert directories_due(settings, TODAY) == ["acme"]
    read = DayRead("openai", "acme", "directory", TODAY, NOON, {}, {})
    Archive(place(settings.home)).keep(read)
    assert directories_due(settings, TODAY) == []
    assert directories_due(settings, TODAY + ONE_DAY) == ["acme"]


def directory_read(hour: int, projects: bytes) -> DayRead:
    """The directory of a day with one list, as it was read at an hour."""
    return DayRead(
        "openai",
        "acme",
        "directory",
        TODAY,
        NOON.replace(hour=hour),
        {"projects.0": ("/organization/projects", [], [])},
        {"projects.0": projects},
    )


def test_names_are_due_again_while_the_newest_read_of_today_cannot_be_used(
    settings: Settings,
) -> None:
    settings = settings.only("acme")
    archive = Archive(place(settings.home))
    archive.keep(directory_read(8, b'{"data": [{"id": "proj_a"}]}'))
    assert directories_due(settings, TODAY) == []
    archive.keep(directory_read(9, b'{"data": [{"id": 7}]}'))
    assert directories_due(settings, TODAY) == ["acme"]
    damaged = archive.keep(directory_read(10, b'{"data": []}'))
    damaged.write_bytes(b"half of it")
    assert directories_due(settings, TODAY) == ["acme"]
    archive.keep(directory_read(11, b'{"data": []}'))
    assert directories_due(settings, TODAY) == []


def test_a_gateway_is_read_and_judges_keys_whatever_the_access_of_the_connections(
    tmp_path: Path,
) -> None:
    """With costs_only there is no list of names to read, and the gateway was left out with it."""
    made = house(tmp_path / "home", "tidewater")
    made.connections = (connection("tidewater", access="costs_only", start=day(18)),)
    (tmp_path / "tokens.csv").write_text("token_id,openai_api_key_id\ntok,key_desk_agents\n")
    settings = made.settings.model_copy(
        update={
            "gateway": Gateway(token_files=("tokens.csv",)),
            "config_file": tmp_path / "openai_costs.toml",
        }
    )
    lines: list[str] = []
    reach = Reach(lambda one: made.transports[one.name])
    assert is_governance_due(settings, made.clock, brought=True)
    with quiet(*OF_THE_GATEWAY):
        Headless(settings, lines.append, made.clock, reach).backfill()
    assert {path for _, path in made.asked("tidewater")} == {"/v1/organization/costs"}
    assert not is_governance_due(settings, made.clock, brought=True)
    bypass = made.lake.read(GatewayBypass)
    assert set(bypass["day"]) >= {day(18), day(19)}
    assert "key_desk_agents" not in set(bypass["api_key_id"])
    assert days_to_derive(made.lake, settings) == []
    (warned,) = [line for line in lines if line.startswith("WARN  mart/unspent_keys")]
    assert "keys are judged by their ids alone" in warned

    # Whoever corrects the registry must not be accused until tomorrow.
    (accused, *_) = sorted(set(bypass["api_key_id"].drop_nulls()))
    (tmp_path / "tokens.csv").write_text(
        f"token_id,openai_api_key_id\ntok,key_desk_agents\nmine,{accused}\n"
    )
    for times in (1, 0):  # the second time nothing has changed
        lines.clear()
        with quiet(*OF_THE_GATEWAY):
            following = Headless(settings, lines.append, made.clock, reach)
            following._name([], [], may_ask=True, owed=False)  # noqa: SLF001 - follows the money
        assert accused not in set(made.lake.read(GatewayBypass)["api_key_id"])
        assert lines.count(PUBLISHES) == times


ACCUSED = "key_desk_agents"


def accused_days(made: House) -> set[date]:
    return set(made.lake.read(GatewayBypass).filter(api_key_id=ACCUSED)["day"])


@pytest.fixture(scope="module")
def judged_by_settings(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Settings]:
    """Six days beside a gateway that settings declare another key of than ACCUSED."""
    made = house(tmp_path_factory.mktemp("gateway"), "tidewater")
    made.connections = (connection("tidewater", access="costs_only", start=day(18)),)
    settings = made.settings.model_copy(
        update={"gateway": Gateway(upstreams=(Upstream(connection="tidewater", api_key_id="k"),))}
    )
    with quiet(*OF_THE_GATEWAY):
        reach = Reach(lambda one: made.transports[one.name])
        Headless(settings, lambda _: None, made.clock, reach).backfill()
    assert accused_days(made) >= {day(18), day(22)}
    assert days_to_derive(made.lake, settings) == []
    return made, settings


@pytest.mark.parametrize("only", [(), ("harbour",)], ids=["killed", "of another connection"])
def test_days_that_other_tokens_judge_are_stale_until_they_are_derived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only: tuple[str, ...]
) -> None:
    """A run that read the tokens and derived nothing left them as they were until a rebuild."""
    made = house(tmp_path / "home", "tidewater", "harbour")
    made.connections = (
        connection("tidewater", access="costs_only", start=day(12)),
        connection("harbour", access="costs_only", start=day(20)),
    )
    registry = tmp_path / "tokens.csv"
    registry.write_text(f"token_id,openai_api_key_id\ntok,{ACCUSED}\n")
    update = {
        "gateway": Gateway(token_files=("tokens.csv",)),
        "config_file": tmp_path / "openai_costs.toml",
        "reading": Reading(trailing_days=1),
    }
    settings = made.settings.model_copy(update=update)
    reach = Reach(lambda one: made.transports[one.name])
    full = Headless(settings, lambda _: None, made.clock, reach)
    with quiet(*OF_THE_GATEWAY):
        full.backfill()
    assert days_to_derive(made.lake, settings) == []
    assert accused_days(made) == set()
    registry.write_text("token_id,openai_api_key_id\ntok,key_that_spends_nothing\n")
    with quiet(*OF_THE_GATEWAY):
        if only:
            replace(full, settings=settings.only(*only)).backfill()
        else:
            with monkeypatch.context() as killed:  # the tokens are read; then it is killed
                killed.setattr(Headless, "follow", lambda *_: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    full.backfill()
            assert min(days.first for days in days_to_derive(made.lake, settings)) == day(12)
        full.backfill()
    assert day(12) in accused_days(made)
    assert days_to_derive(made.lake, settings) == []
    followed = [made.lake.read(table) for table in (GatewayBypass, CostReconciliation)]
    with quiet(*OF_THE_GATEWAY):
        full.run(DERIVE, DayRange(day(12), made.clock.now.date()))
    rebuilt = [made.lake.read(table) for table in (GatewayBypass, CostReconciliation)]
    assert all(one.equals(two) for one, two in zip(followed, rebuilt, strict=True))


@pytest.mark.parametrize(
    ("update", "since"),
    [
        ({"upstreams": (Upstream(connection="tidewater", api_key_id=ACCUSED),)}, None),
        ({"start": day(21)}, day(21)),
        ({"upstreams": ()}, None),
    ],
    ids=["declared", "later", "gone"],
)
def test_what_settings_say_of_the_gateway_holds_for_every_day_as_after_a_rebuild(
    judged_by_settings: tuple[House, Settings],
    tmp_path: Path,
    update: dict[str, Any],
    since: date | None,
) -> None:
    made, before = judged_by_settings
    copy = made.moved_to(tmp_path / "home")
    gateway = before.gateway.model_copy(update=update)
    settings = copy.settings.model_copy(update={"gateway": gateway})
    again = Headless(settings, lambda _: None, copy.clock)
    with quiet(*OF_THE_GATEWAY):
        again.follow([])
    assert days_to_derive(copy.lake, settings) == []
    followed = [copy.lake.read(table) for table in (GatewayBypass, CostReconciliation)]
    assert accused_days(copy) == {one for one in accused_days(made) if since and one >= since}
    with quiet(*OF_THE_GATEWAY):
        again.run(DERIVE, DayRange(day(18), day(23)))
    rebuilt = [copy.lake.read(table) for table in (GatewayBypass, CostReconciliation)]
    assert all(one.equals(other) for one, other in zip(followed, rebuilt, strict=True))


def test_days_from_before_all_connections_begin_now_are_not_derived(
    judged_by_settings: tuple[House, Settings],
) -> None:
    made, before = judged_by_settings
    later = tuple(one.model_copy(update={"start": day(20)}) for one in before.connections)
    no_gateway = before.model_copy(update={"gateway": Gateway()})
    assert days_to_derive(made.lake, no_gateway) == [DayRange(day(18), day(23))]
    since = no_gateway.model_copy(update={"connections": later})
    assert days_to_derive(made.lake, since) == [DayRange(day(20), day(23))]


def test_a_list_of_people_that_was_corrected_today_is_read_again(
    settings: Settings,
) -> None:
    clock = HandClock(datetime(2026, 3, 20, 12, tzinfo=UTC))
    nothing = settings.model_copy(update={"gateway": Gateway(), "directory": Directory()})
    assert not is_governance_due(nothing, clock, brought=False)
    people = Directory.model_validate({"files": ["people.csv"]})
    listed = nothing.model_copy(update={"directory": people})
    assert is_governance_due(listed, clock, brought=False)
    assert not is_governance_due(listed, clock, brought=True)


READ_ALL = f"{REFRESH}: every"
JUDGED, NOT_JUDGED = f"{PUBLISH}: every", f"{PUBLISH}: is_not_judged"


@pytest.mark.parametrize(
    ("seconds", "judges", "jobs"),
    [
        (30, Judging(is_first=True, has_names=False), [READ_ALL, READ_ALL, JUDGED]),
        (30, Judging(is_first=True, has_names=True), [READ_ALL, READ_ALL, NOT_JUDGED]),
        (
            40,
            Judging(is_first=True, has_names=False),
            [READ_ALL, NOT_JUDGED, READ_ALL, JUDGED],
        ),
        (40, Judging(is_first=False, has_names=False), [READ_ALL, READ_ALL, JUDGED]),
        (40, Judging(is_first=False, has_names=True), [READ_ALL, READ_ALL, NOT_JUDGED]),
    ],
)
def test_the_newest_month_is_published_first_where_history_takes_more_than_a_minute(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    judges: Judging,
    jobs: list[str],
) -> None:
    """48 days of history take 46 s where 31 days took 30 s, and 62 s where they took 40 s.

    What is judged of a part of the days, or before names are known, would be sent. Where there are
    findings, all days are published at once: new dollars stood beside an old all-clear.
    """
    ran: list[str] = []
    began = time.monotonic()

    class Slow(Headless):
        def run(self, job_name: str, _: DayRange | None, wanted: Wanted = every) -> None:
            ran.append(f"{job_name}: {wanted.__name__}")
            monkeypatch.setattr("time.monotonic", lambda: began + seconds * ran.count(READ_ALL))

    since = DayRange(date(2026, 1, 1), TODAY)
    steps = [Step(settings, REFRESH, since)]
    assert Slow(settings, str)._make(steps, [], judges) is (jobs[-1] == NOT_JUDGED)
    assert ran == jobs


OURS = "acme, harbour"


@pytest.mark.parametrize(
    ("job_name", "refused", "runs"),
    [
        (REFRESH, {"claude"}, [f"{OURS}: is_page", "claude: is_page", f"{OURS}: is_table"]),
        (
            REFRESH,
            set[str](),
            [f"{OURS}: is_page", "claude: is_page", f"{OURS}, claude: is_table"],
        ),
        (REFRESH, {OURS, "claude"}, [f"{OURS}: is_page", "claude: is_page"]),
        (REBUILD, set[str](), [f"{OURS}, claude: every"]),
    ],
)
def test_of_the_same_days_each_provider_is_read_alone_and_the_tables_are_made_together(
    settings: Settings, job_name: str, refused: set[str], runs: list[str]
) -> None:
    ran: list[str] = []

    class Told(Headless):
        def run(self, _: str, days: DayRange | None, wanted: Wanted = every) -> None:
            names = ", ".join(one.name for one in self.settings.asked_connections)
            ran.append(f"{names}: {wanted.__name__}")
            if names in refused:
                raise RunFailedError([f"{names} is shut out of {days}."])

    claude = AnthropicConnection(name="claude", start=TODAY)
    its = settings.model_copy(update={"connections": (*settings.connections, claude)})
    step = Step(its.only("acme", "harbour", "claude"), job_name, DayRange(TODAY, TODAY))
    failed: list[str] = []
    made = Told(its, lambda _: None)._run_all([step], failed)  # noqa: SLF001 - what it returns
    assert ran == runs
    assert failed == [f"{name} is shut out of {TODAY}." for name in sorted(refused)]
    assert made == ([] if len(refused) > 1 else [step])


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, list[str]]:
    """A home filled headless: the second connection is shut out."""
    made = house(tmp_path_factory.mktemp("headless") / "home", "tidewater", "harbour")
    made.connections = tuple(connection(one.name, start=day(18)) for one in made.connections)
    made.serve("harbour", options=replace(USUAL, admin_keys=frozenset({"sk-admin-of-another"})))
    lines: list[str] = []
    not_read = r"Published, but not every connection was read: Connection 'harbour': "
    with quiet(), pytest.raises(RunFailedError, match=not_read):
        headless(made, lines.append).backfill()
    return made, lines


def headless(made: House, say: Callable[[str], None]) -> Headless:
    reach = Reach(lambda one: made.transports[one.name])
    return Headless(made.settings, say, made.clock, reach)


def test_a_second_connection_of_an_organization_is_read_whole_once_its_key_reads_another(
    tmp_path: Path,
) -> None:
    made = house(tmp_path / "home", "tidewater", "tidewater-two")
    made.connections = tuple(
        connection(one.name, start=day(12)).model_copy(update={"organization_id": None})
        for one in made.connections
    )
    with quiet(), pytest.raises(RunFailedError, match="which 'tidewater' reads too"):
        headless(made, str).backfill()
    lines: list[str] = []
    with quiet(), pytest.raises(RunFailedError, match="which 'tidewater' reads too"):
        headless(made, lines.append).backfill()
    assert not [line for line in lines if line.endswith("read from tidewater-two")]
    made.serve("tidewater-two", organisation=organisation_of("org-other"))
    with quiet():
        headless(made, lines.append).backfill()
    assert made.lake.days(Spend, "tidewater-two") == made.lake.days(Spend, "tidewater")
    coverage = made.lake.read(Coverage).filter(source="costs")
    assert coverage.filter(state="missing").is_empty()
    assert set(coverage["connection"]) == {"tidewater", "tidewater-two"}


def test_names_arrive_after_the_money_and_one_that_fails_stops_no_other(
    backfilled: tuple[House, list[str]],
) -> None:
    made, lines = backfilled
    money = next(i for i, line in enumerate(lines) if "read from tidewater, harbour" in line)
    names = lines.index("tidewater, harbour: names and owners, paced as the provider allows")
    again = next(i for i, line in enumerate(lines) if line.endswith("names and owners, no request"))
    assert money < names < again
    spend = made.lake.read(Spend).filter(project_id="proj_route_planner")
    assert set(spend["project_name"]) == {"Route planner"}
    assert set(spend["connection"]) == {"tidewater"}


def test_what_is_read_is_published_before_the_names_and_with_them_and_no_more(
    backfilled: tuple[House, list[str]],
) -> None:
    _, lines = backfilled
    published = [i for i, line in enumerate(lines) if "published/duckdb (" in line]
    names = [i for i, line in enumerate(lines) if line.endswith("paced as the provider allows")]
    again = [i for i, line in enumerate(lines) if line.endswith("names and owners, no request")]
    assert len(published) == 2
    assert published[0] < names[0] <= names[-1] < again[0] <= again[-1] < published[1]


def test_findings_are_judged_once_when_their_names_are_known(tmp_path: Path) -> None:
    """They were judged of money alone, and sent with ids in the place of names."""
    made, lines = house(tmp_path / "home", "tidewater"), list[str]()
    made.connections = tuple(connection(one.name, start=day(20)) for one in made.connections)
    with quiet("mart/findings"):
        headless(made, lines.append).backfill()
    [names] = [i for i, line in enumerate(lines) if line.endswith("paced as the provider allows")]
    [judged] = [i for i, line in enumerate(lines) if "mart/findings (" in line]
    first, last = [i for i, line in enumerate(lines) if "published/duckdb (" in line]
    assert first < names < judged < last
    assert made.lake.has(Findings)
    assert not judging(made.settings, made.clock, offline=False).is_first


def test_a_first_backfill_that_ends_before_it_judges_is_named_by_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = house(tmp_path / "home", "tidewater")
    made.connections = tuple(connection(one.name, start=day(21)) for one in made.connections)
    assert judging(made.settings, made.clock, offline=False) == (True, True)
    assert judging(made.settings, made.clock, offline=True) == (True, False)
    assert list(judged_facts(made.settings)) == []

    def stopped(*_: object, **__: object) -> None:
        raise Stopped

    monkeypatch.setattr(Headless, "_name", stopped)
    with quiet("mart/findings"), pytest.raises(Stopped):
        headless(made, str).backfill()
    [fact] = judged_facts(made.settings)
    assert (fact.state, fact.text) == (
        "WARN",
        "the days that are stored were never judged. Run `openai-costs backfill`",
    )


def test_objections_of_checks_are_shown_at_the_end(backfilled: tuple[House, list[str]]) -> None:
    _, lines = backfilled
    told = lines[-1 - sum(line.startswith(("ERROR", "WARN")) for line in lines) :]
    assert told[-1] == WHAT_TO_DO
    refused = [line for line in told if line.startswith("ERROR raw/")]
    assert [line.partition(":")[0] for line in refused] == [
        "ERROR raw/openai_costs read_complete of 2026-11-18 to 2026-11-23",
        "ERROR raw/openai_directory read_complete",
        "ERROR raw/openai_usage read_complete of 2026-11-18 to 2026-11-23",
    ]
    assert all("Connection 'harbour': the provider refused GET" in line for line in refused)


def test_when_no_name_changed_no_day_is_derived_again(backfilled: tuple[House, list[str]]) -> None:
    made, _ = backfilled
    assert days_to_derive(made.lake, made.settings) == []
    assert list(stale_requests(made.settings, "run", days_to_derive)) == []


def test_a_team_that_is_new_in_the_settings_overtakes_the_days_it_spent_on(
    backfilled: tuple[House, list[str]],
) -> None:
    made, _ = backfilled
    team = Team(name="search", projects=("proj_place_search",))
    with_team = made.settings.model_copy(update={"teams": (team,)})
    requests = list(stale_requests(with_team, "run-1", days_to_derive))
    assert [(one.run_key, one.tags[RANGE_START], one.tags[RANGE_END]) for one in requests] == [
        ("run-1:2026-11-18 to 2026-11-23", "2026-11-18", "2026-11-23")
    ]


def renamed(made: House, when: date) -> None:
    """Let a stored day speak of a project by a name that it has not any more."""
    key = Slice("tidewater", when)
    read_at = made.lake.reads(Spend).get(key)
    assert read_at is not None
    rows = made.lake.read(Spend, [when])
    once = pl.when(project_id="proj_labs").then(pl.lit("Lab")).otherwise("project_name")
    batch = Batch(rows.with_columns(project_name=once), {key: read_at})
    assert not made.lake.replace(Spend, [batch]).refused


@pytest.fixture
def overtaken(backfilled: tuple[House, list[str]], tmp_path: Path) -> House:
    """The same home with a project that was renamed after two of its days were made."""
    copy = backfilled[0].moved_to(tmp_path / "home")
    for when in (day(19), day(22)):
        renamed(copy, when)
    copy.silence()
    return copy


def test_a_reading_of_the_directory_starts_one_run_per_range_of_stale_days(
    overtaken: House,
) -> None:
    asked, job = asked_after(DIRECTORY, overtaken)
    assert [one.run_key for one in asked] == [f"{RUN_ID}:2026-11-19", f"{RUN_ID}:2026-11-22"]
    assert job == DERIVE


def test_a_refresh_starts_runs_of_the_days_that_settings_changed_since_the_sensor_began(
    backfilled: tuple[House, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run reads the settings anew: findings wait by those, and the sensor had older ones."""
    made = backfilled[0].moved_to(tmp_path / "home")
    made.lake.replace_whole(Findings, Findings.no_rows())
    assert asked_after(REFRESH, made)[0] == []
    team = Team(name="search", projects=("proj_place_search",))
    changed = made.settings.model_copy(update={"teams": (team,)})
    monkeypatch.setattr(definitions, "read_again", lambda *_: changed)
    assert [one.run_key for one in asked_after(REFRESH, made)[0]] == [
        f"{RUN_ID}:2026-11-18 to 2026-11-23"
    ]
    [fact] = judged_facts(changed)
    assert fact.state == "WARN"
    assert fact.text == (
        "they wait for 2026-11-18 to 2026-11-23, which have other names, teams or gateway settings "
        "than now. Run `openai-costs backfill`"
    )
    assert list(judged_facts(made.settings)) == []


def test_a_range_whose_run_has_not_begun_yet_is_not_requested_once_more(overtaken: House) -> None:
    assert len(asked_after(REFRESH, overtaken)[0]) == 2
    [left] = asked_after(REFRESH, overtaken, queued=day(19))[0]
    assert left.tags[RANGE_START] == "2026-11-22"


def asked_after(
    job_name: str, made: House, queued: date | None = None
) -> tuple[list[dg.RunRequest], str | None]:
    """The runs that the sensor requests after a run of a job, and their job."""
    with calm(), dg.DagsterInstance.ephemeral() as instance:
        home = made.defs().get_repository_def()
        if queued:
            tags = range_tags(DayRange(queued, queued))
            instance.create_run_for_job(home.get_job(DERIVE), tags=tags)
        sensor = home.get_sensor_def("names_follow_the_directory")
        assert isinstance(sensor, dg.RunStatusSensorDefinition)
        read = home.get_job(job_name)
        context = dg.build_run_status_sensor_context(
            sensor_name=sensor.name,
            dagster_instance=instance,
            dagster_run=instance.create_run_for_job(read, run_id=RUN_ID),
            dagster_event=dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, read.name),
            repository_def=home,
        )
        return list(sensor(context)), sensor.job_name


def test_stale_days_are_derived_without_a_request_and_published(overtaken: House) -> None:
    lines: list[str] = []
    with quiet():
        again = headless(overtaken, lines.append)
        again.follow([])
        again.publish()
    assert [line for line in lines if line.endswith("no request")] == [
        "2026-11-19: current names and owners, no request",
        "2026-11-22: current names and owners, no request",
    ]
    assert days_to_derive(overtaken.lake, overtaken.settings) == []
    question = "SELECT DISTINCT project_name FROM mart.spend WHERE project_id = 'proj_labs'"
    with duckdb.connect(str(overtaken.published), read_only=True) as sql:
        assert sql.sql(question).fetchall() == [("Labs",)]


def much_later(home: Path) -> House:
    """A home without any day, months after its first one; its key reads costs and no names."""
    made = house(home, now=datetime(2027, 4, 1, 12, tzinfo=UTC))
    made.connections = (connection("tidewater", access="costs_only", start=day(17)),)
    return made


def test_old_days_that_are_asked_for_alone_are_published_without_one_that_cannot_be_made(
    tmp_path: Path,
) -> None:
    made = much_later(tmp_path / "home")
    made.serve("tidewater", "nan-string@1")
    lines: list[str] = []
    only_reason = r"^Published, but not every day: [^\n]*'NaN'[^\n]*$"
    with quiet(), pytest.raises(RunFailedError, match=only_reason) as ended:
        headless(made, lines.append).backfill(DayRange(day(17), day(19)))
    assert len(ended.value.reasons) == 1
    assert any(line.startswith("ERROR core/spend contract of 2026-11-17: ") for line in lines)
    question = "SELECT DISTINCT day FROM mart.spend ORDER BY day"
    with duckdb.connect(str(made.published), read_only=True) as sql:
        assert sql.sql(question).fetchall() == [(day(18),), (day(19),)]
