"""Who reads which organization is decided before anything is asked of it or published."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
import httpx
import polars as pl
import pytest

from openai_costs import definitions
from openai_costs.cli.doctor import facts
from openai_costs.kernel.days import epoch
from openai_costs.kernel.errors import ProviderUnavailable
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import DIRECTORY, EVERYTHING, PUBLISH, RANGE_START, REBUILD
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.publication import publication_of
from openai_costs.outputs.publish.tie_outs import untied_lake
from openai_costs.outputs.report.cost_explorer import read_page
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.sources.account_notes import noted, refusal
from openai_costs.sources.accounts import Accounts
from openai_costs.sources.due_days import unmade_slices
from openai_costs.sources.openai.assets import OPENAI
from openai_costs.sources.provider import Reach
from openai_costs.storage import renamed_slices
from openai_costs.storage.archive import DayRead
from openai_costs.storage.files import place
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import (
    EMPTY_DAY,
    LEDGER,
    MONEY,
    QUIET,
    Altered,
    House,
    Ran,
    calm,
    connection,
    day,
    days,
    files,
    house,
    job_of,
    of_names,
    organisation_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from openai_costs.tables.contract import Contract

FIRST, LAST = day(16), day(18)


def totals(made: House) -> dict[str, Decimal]:
    """Dollars by connection in the ledger."""
    by_connection = made.lake.read(Ledger).group_by("connection").agg(pl.col("billed_usd").sum())
    return dict(by_connection.iter_rows())


def published_totals(made: House) -> dict[str, Decimal]:
    """Dollars by connection in the published ledger."""
    question = "SELECT connection, sum(billed_usd) FROM core.spend GROUP BY ALL"
    with duckdb.connect(str(made.published), read_only=True) as sql:
        return dict(sql.execute(question).fetchall())


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = house(tmp_path_factory.mktemp("once") / "home", "acme")
    assert made.run(FIRST, LAST, only=MONEY).is_green
    return made


def with_connections(made: House, *names: str) -> House:
    """The same home under other settings; every connection reads the same organization."""
    made.connections = tuple(connection(name) for name in names)
    for name in names:
        made.serve(name)
    return made


def test_the_ledger_names_the_organization_of_the_pages(read_once: House) -> None:
    with duckdb.connect(str(read_once.published), read_only=True) as sql:
        named = sql.execute("SELECT DISTINCT organization_id FROM core.spend").fetchall()
    assert named == [("org-tidewatermaps",)]


@pytest.fixture(scope="module")
def connected_twice(
    read_once: House, tmp_path_factory: pytest.TempPathFactory
) -> tuple[House, Ran]:
    """The same home after a run with a second connection to its organization."""
    home = tmp_path_factory.mktemp("twice") / "home"
    made = with_connections(read_once.moved_to(home), "acme", "acme-new-key")
    return made, made.run(FIRST, LAST, only=MONEY)


def test_an_organization_under_two_connections_is_counted_once_and_named(
    read_once: House, connected_twice: tuple[House, Ran]
) -> None:
    made, ran = connected_twice
    assert published_totals(made) == totals(made) == totals(read_once)
    verdict = ran.of("raw/openai_costs", "read_complete")[str(LAST)]
    assert not verdict.passed
    assert (
        "Connection 'acme-new-key' reads org-tidewatermaps, which 'acme' reads too: it is counted "
        "once, as 'acme'."
    ) in verdict.because


def test_doctor_and_page_name_two_connections_of_one_organization_until_one_is_removed(
    connected_twice: tuple[House, Ran], tmp_path: Path
) -> None:
    made = connected_twice[0].moved_to(tmp_path / "home")
    assert "which 'acme' reads too" in refusal(made.archive, made.settings, made.connections[1])
    reach = Reach(lambda one: made.transports[one.name])
    named = {one.about: one.state for one in facts(made.settings, made.clock, reach)}
    assert named["acme-new-key: account"] == "FAIL"
    page = read_page(publication_of(made.settings), made.clock.now)
    assert "Connection 'acme-new-key' reads org-tidewatermaps, which 'acme' reads" in page.notice
    assert "acme: tables" in named
    assert "acme-new-key: tables" not in named, "a backfill would give it no day"
    made = with_connections(made, "acme-new-key")
    ran = made.at(made.clock.now + timedelta(hours=1)).run(FIRST, LAST, only=LEDGER)
    assert ran.is_green
    assert refusal(made.archive, made.settings, made.connections[0]) == ""
    assert list(totals(made)) == ["acme-new-key"]
    assert read_page(publication_of(made.settings), made.clock.now).notice == ""


def without_labels(made: House) -> House:
    """The same home under settings that name no organization."""
    made.connections = tuple(
        one.model_copy(update={"organization_id": None}) for one in made.connections
    )
    return made


def stored_days(made: House) -> dict[str, list[date]]:
    """The stored days of the ledger by connection."""
    return {one: sorted(made.lake.days(Ledger, one)) for one in made.lake.connections(Ledger)}


@pytest.mark.parametrize("is_empty_first", [True, False])
def test_a_window_without_costs_gives_the_second_connection_of_an_organization_no_day(
    tmp_path: Path, *, is_empty_first: bool
) -> None:
    made = with_connections(house(tmp_path / "home", "acme"), "acme", "acme-new-key")
    made = without_labels(made)
    windows = [(EMPTY_DAY, EMPTY_DAY), (day(17), LAST)]
    for first, last in windows if is_empty_first else reversed(windows):
        ran = made.run(first, last, only=MONEY)
    assert stored_days(made) == {"acme": days(EMPTY_DAY, LAST)}
    assert made.archive.days("openai", "acme-new-key", "costs") == []
    assert set(made.lake.read(Coverage)["connection"]) == {"acme"}
    verdict = ran.of("raw/openai_costs", "read_complete")[
        str(LAST if is_empty_first else EMPTY_DAY)
    ]
    assert not verdict.passed
    assert "'acme-new-key' reads org-tidewatermaps, which 'acme' reads too" in verdict.because
    assert "which 'acme' reads too" in refusal(made.archive, made.settings, made.connections[1])


def test_a_second_connection_is_read_once_its_key_reads_an_organization_of_its_own(
    read_once: House, tmp_path: Path
) -> None:
    made = with_connections(read_once.moved_to(tmp_path / "home"), "acme", "acme-new-key")
    without_labels(made).run(LAST, LAST, only=LEDGER)
    made.at(made.clock.now + timedelta(hours=1))
    made.serve("acme-new-key", organisation=organisation_of("org-other"))
    made.run(EMPTY_DAY, EMPTY_DAY, only=LEDGER)
    assert "acme-new-key" not in stored_days(made), "the key may be the old one still"
    assert made.run(EMPTY_DAY, LAST, only=LEDGER).is_green
    assert stored_days(made)["acme-new-key"] == days(EMPTY_DAY, LAST)
    assert refusal(made.archive, made.settings, made.connections[1]) == ""


def test_a_second_connection_is_read_once_the_settings_name_an_organization_of_its_own(
    connected_twice: tuple[House, Ran], tmp_path: Path
) -> None:
    made = connected_twice[0].moved_to(tmp_path / "home")
    acme, second = made.connections
    made.connections = (acme, second.model_copy(update={"organization_id": "org-new"}))
    assert made.run(EMPTY_DAY, EMPTY_DAY, only=LEDGER).is_green
    assert stored_days(made)["acme-new-key"] == [EMPTY_DAY]


def test_a_renamed_connection_goes_on_with_its_days_and_they_are_counted_once(
    read_once: House, tmp_path: Path
) -> None:
    before = sum(totals(read_once).values())
    made = with_connections(read_once.moved_to(tmp_path / "home"), "tidewater-inc")
    made.at(made.clock.now + timedelta(hours=1))
    assert made.run(FIRST, LAST, only=LEDGER).is_green
    assert totals(made) == {"tidewater-inc": before}
    assert made.archive.connections("openai") == ["tidewater-inc"]
    assert len(made.archive.reads("openai", "tidewater-inc", "costs", LAST)) == 2


def slices_of(made: House, table: type[Contract]) -> pl.DataFrame:
    """The slices of a table without the names of connections: their rows, and of which read."""
    return made.lake.slices(table).drop("connection")


def test_days_that_are_not_read_again_with_a_new_name_stay_as_they_were_and_published(
    read_once: House, tmp_path: Path
) -> None:
    made = with_connections(read_once.moved_to(tmp_path / "home"), "tidewater-inc")
    made.at(made.clock.now + timedelta(hours=1))
    assert made.run(LAST, LAST, only=MONEY).is_green
    before = totals(read_once)["acme"]
    assert published_totals(made) == totals(made) == {"tidewater-inc": before}
    older = pl.col("day") < LAST
    for table in all_contracts():
        was, now = (slices_of(one, table).filter(older) for one in (read_once, made))
        assert now.equals(was), table.full_name()
        rows, renamed = (one.lake.uncounted().read(table) for one in (read_once, made))
        if "connection" in rows.columns and made.lake.connections(table):
            assert set(renamed["connection"]) <= {"tidewater-inc"}
            kept = renamed.filter(older).drop("connection")
            assert kept.equals(rows.filter(older).drop("connection")), table.full_name()
    control = made.lake.read(SpendControl)
    assert untied_lake(made.lake, []) == []
    assert not [*unmade_slices(made.settings, control)]
    made.silence()
    rebuilt = made.moved_to(tmp_path / "rebuilt")
    shutil.rmtree(Path(rebuilt.home) / "lake")
    assert rebuilt.run(FIRST, LAST, job=REBUILD, only=MONEY[1:]).is_green
    for table in TOGETHER:
        assert rebuilt.lake.read(table).equals(made.lake.read(table)), table.full_name()


def test_a_renaming_that_was_killed_between_two_tables_is_finished_by_the_next_run_of_any_kind(
    read_once: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = with_connections(read_once.moved_to(tmp_path / "home"), "tidewater-inc")
    change, calls = renamed_slices.change, list[object]()

    def dying(*args: Any) -> None:  # noqa: ANN401 - what `change` takes
        calls.append(args)
        if len(calls) > 1:
            raise OSError("the disk is gone")
        change(*args)

    with monkeypatch.context() as patch:
        patch.setattr(renamed_slices, "change", dying)
        assert not made.run(FIRST, LAST, only=MONEY).is_green
    publish(place(made.home), made.lake)
    before = totals(read_once)["acme"]
    assert published_totals(made) == {"acme": before}, "readers keep what they had"
    made.silence()
    assert made.run(FIRST, LAST, job=PUBLISH, only=("mart/coverage", "published/duckdb")).is_green
    assert published_totals(made) == totals(made) == {"tidewater-inc": before}
    assert made.archive.connections("openai") == ["tidewater-inc"]


@pytest.fixture
def renamed_meanwhile(
    read_once: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[House, dg.Definitions]:
    """A home whose connection got another name, and the code server from before."""
    made = read_once.moved_to(tmp_path / "home")
    server = made.defs()
    made = with_connections(made, "tidewater-inc").at(made.clock.now + timedelta(days=10))
    assert made.run(LAST, LAST, only=LEDGER[:1]).is_green
    monkeypatch.setattr(definitions, "read_again", lambda *_: made.settings)
    return made, server


def test_the_schedule_asks_for_what_a_new_name_owes_without_a_reload(
    renamed_meanwhile: tuple[House, dg.Definitions],
) -> None:
    made, server = renamed_meanwhile
    schedule = server.resolve_schedule_def("daily_refresh")
    with dg.build_schedule_context(scheduled_execution_time=made.clock.now) as context:
        [request] = schedule.evaluate_tick(context).run_requests or ()
    assert request.tags[RANGE_START] == "2026-11-18", "read anew, and no table is made of it"


def test_days_of_a_new_name_that_were_made_in_part_are_rebuilt_without_a_reload(
    renamed_meanwhile: tuple[House, dg.Definitions],
) -> None:
    made, server = renamed_meanwhile
    assert made.run(LAST, LAST, only=LEDGER[1:]).is_green
    home = server.get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        job = home.get_job(EVERYTHING).get_subset(asset_selection={dg.AssetKey(["core", "spend"])})
        context = dg.build_run_status_sensor_context(
            sensor_name="publication_follows_the_lake",
            dagster_instance=instance,
            dagster_run=instance.create_run_for_job(job, asset_selection={*job.asset_selection}),
            dagster_event=dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job.name),
            repository_def=home,
        )
        sensor = home.get_sensor_def("publication_follows_the_lake")
        assert isinstance(sensor, dg.RunStatusSensorDefinition)
        [request] = sensor(context)
    assert (request.job_name, request.tags[RANGE_START]) == (REBUILD, str(LAST))


def test_a_key_of_another_organization_than_the_settings_say_changes_nothing(
    read_once: House, tmp_path: Path
) -> None:
    made = read_once.moved_to(tmp_path / "home")
    before = totals(made)
    made.serve("acme", organisation=organisation_of("org-other"))
    ran = made.run(FIRST, LAST, only=LEDGER)
    assert not ran.is_green
    assert (
        "Connection 'acme': this key reads org-other, but the settings say org-tidewatermaps. "
        "Nothing was changed."
    ) in " ".join(ran.failures)
    assert ran.retried == 0
    assert totals(made) == before
    assert len(made.archive.reads("openai", "acme", "costs", LAST)) == 1
    aside = made.archive.reads("openai", "acme", "costs_of_another_account", day(17))
    assert len(aside) == 1


def test_a_key_of_another_organization_than_before_changes_nothing(
    read_once: House, tmp_path: Path
) -> None:
    made = read_once.moved_to(tmp_path / "home")
    before = totals(made)
    made.connections = (made.connections[0].model_copy(update={"organization_id": "org-other"}),)
    made.serve("acme", organisation=organisation_of("org-other"))
    ran = made.run(FIRST, LAST, only=LEDGER)
    assert not ran.is_green
    assert "but its stored days are of org-tidewatermaps" in " ".join(ran.failures)
    assert totals(made) == before


def test_a_day_without_costs_of_another_organization_replaces_no_stored_day(
    read_once: House, tmp_path: Path
) -> None:
    made = without_labels(read_once.moved_to(tmp_path / "home"))
    made.at(made.clock.now + timedelta(hours=1))
    before = totals(made)
    made.serve("acme", organisation=organisation_of("org-other"))
    made.transports["acme"] = Altered(made.transports["acme"], without_costs_of(day(17)))
    assert not made.run(LAST, LAST, only=LEDGER).is_green
    ran = made.run(day(17), day(17), only=LEDGER)
    assert not ran.is_green
    assert "this key reads org-other" in " ".join(ran.failures)
    assert totals(made) == before


def without_costs_of(empty: date) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Let the pages of a day have no costs."""

    def alter(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        body = response.json()
        for bucket in body.get("data", ()):
            if bucket.get("start_time") == epoch(empty):
                bucket["results"] = []
        return httpx.Response(response.status_code, json=body)

    return alter


# Where the pages do not name the organization.


def test_a_day_without_costs_is_of_the_account_that_the_other_days_name(tmp_path: Path) -> None:
    made = house(tmp_path / "home", "tidewater", "ferry")
    assert made.run(EMPTY_DAY, LAST, only=LEDGER).is_green
    assert made.run(EMPTY_DAY, LAST, job=DIRECTORY, only=of_names()).is_green
    assert made.run(EMPTY_DAY, EMPTY_DAY, only=LEDGER).is_green
    assert sorted(totals(made)) == made.archive.connections("openai") == ["ferry", "tidewater"]


def without_the_organization(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """The same answer from an API that does not say whose costs it holds."""
    answer.read()
    named = re.compile(rb'"organization_id":\s*"[^"]*"')
    body = named.sub(b'"organization_id":null', answer.content)
    return httpx.Response(answer.status_code, content=body, request=request)


def unnamed(made: House, *names: str, ids: tuple[str | None, ...] = ()) -> House:
    """The same home under other settings; the API names no organization."""
    accounts = ids or (None,) * len(names)
    made.connections = tuple(
        connection(name).model_copy(update={"organization_id": account})
        for name, account in zip(names, accounts, strict=True)
    )
    for name in names:
        made.serve(name)
        made.transports[name] = Altered(made.transports[name], without_the_organization)
    return made


@pytest.fixture(scope="module")
def unnamed_once(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = unnamed(house(tmp_path_factory.mktemp("unnamed") / "home", "acme"), "acme")
    assert made.run(FIRST, LAST, only=LEDGER).is_green
    assert set(made.lake.read(Ledger)["organization_id"]) == {None}
    return made


def test_two_connections_with_the_same_projects_are_counted_once_where_pages_name_no_organization(
    tmp_path: Path, unnamed_once: House
) -> None:
    made = unnamed(house(tmp_path / "home", "acme"), "acme", "acme-new-key")
    ran = made.run(FIRST, LAST, only=LEDGER)
    assert totals(made) == totals(unnamed_once)
    because = ran.of("raw/openai_costs", "read_complete")[str(LAST)].because
    assert "which 'acme' reads too: it is counted once, as 'acme'." in because
    assert "reads the organization of proj_" in because
    assert "counted once, as 'acme'" in refusal(made.archive, made.settings, made.connections[1])


def test_a_rename_is_counted_once_where_pages_name_no_organization(
    tmp_path: Path, unnamed_once: House
) -> None:
    made = unnamed(unnamed_once.moved_to(tmp_path / "home"), "tidewater-inc")
    made.at(made.clock.now + timedelta(hours=1))
    assert made.run(FIRST, LAST, only=LEDGER).is_green
    assert totals(made) == {"tidewater-inc": sum(totals(unnamed_once).values())}
    assert made.archive.connections("openai") == ["tidewater-inc"]


def test_a_rename_continues_by_the_id_of_the_settings_before_any_project_is_seen_again(
    tmp_path: Path,
) -> None:
    made = unnamed(house(tmp_path / "home", "acme"), "acme", ids=("org-acme",))
    assert made.run(day(17), day(17), only=LEDGER).is_green
    unnamed(made, "acme-inc", ids=("org-acme",))
    assert made.run(LAST, LAST, only=LEDGER).is_green
    assert list(totals(made)) == ["acme-inc"]
    assert made.archive.reads("openai", "acme-inc", "costs", day(17))


def test_a_home_that_counted_an_organization_twice_counts_it_once_after_the_next_run(
    tmp_path: Path, unnamed_once: House
) -> None:
    made = unnamed_once.moved_to(tmp_path / "home")
    before = totals(unnamed_once)
    shutil.copytree(Path(made.home) / "raw/openai/acme", Path(made.home) / "raw/openai/acme-two")
    for note in (Path(made.home) / "raw/openai").glob("*/account.json"):
        note.unlink()
    unnamed(made, "acme", "acme-two")
    made.run(FIRST, LAST, job=REBUILD, only=LEDGER[1:])
    assert set(totals(made)) == {"acme", "acme-two"}
    made.at(made.clock.now + timedelta(hours=1)).run(FIRST, LAST, only=MONEY)
    assert published_totals(made) == totals(made) == before
    assert made.archive.reads("openai", "acme-two", "costs", LAST) == []


def test_a_key_without_any_project_of_the_stored_day_changes_nothing(
    tmp_path: Path, unnamed_once: House
) -> None:
    def elsewhere(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        answer.read()
        body = re.sub(rb'"(proj|key)_', rb'"\1_other_', answer.content)
        answer = httpx.Response(answer.status_code, content=body, request=request)
        return without_the_organization(request, answer)

    made = unnamed_once.moved_to(tmp_path / "home")
    made.serve("acme")
    made.transports["acme"] = Altered(made.transports["acme"], elsewhere)
    ran = made.at(made.clock.now + timedelta(hours=1)).run(FIRST, LAST, only=LEDGER)
    assert not ran.is_green
    assert "no project or key that this key reads on 2026-11-17 is in the stored day" in " ".join(
        ran.failures
    )
    assert ran.retried == 0
    assert totals(made) == totals(unnamed_once)


def test_another_id_in_the_settings_is_a_correction_where_the_projects_are_the_same(
    tmp_path: Path,
) -> None:
    made = unnamed(house(tmp_path / "home", "acme"), "acme", ids=("org-acme-typo",))
    assert made.run(FIRST, LAST, only=LEDGER).is_green
    before = totals(made)
    unnamed(made, "acme", ids=("org-acme",))
    assert made.at(made.clock.now + timedelta(hours=1)).run(FIRST, LAST, only=LEDGER).is_green
    assert totals(made) == before
    known = noted(made.archive, "openai", "acme")
    assert known is not None
    assert (known.account, known.is_of_pages) == ("org-acme", False)


def test_lists_of_projects_show_that_two_connections_read_one_organization(
    tmp_path: Path,
) -> None:
    def without_ids(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("/costs"):
            return answer
        answer = without_the_organization(request, answer)
        body = re.sub(rb'"(project|api_key|user)_id":\s*"[^"]*"', rb'"\1_id":null', answer.content)
        return httpx.Response(answer.status_code, content=body, request=request)

    made = unnamed(house(tmp_path / "home", "acme"), "acme", "acme-two")
    for name in ("acme", "acme-two"):
        made.serve(name)
        made.transports[name] = Altered(made.transports[name], without_ids)
    assert made.run(FIRST, LAST, only=LEDGER).is_green
    assert set(totals(made)) == {"acme", "acme-two"}
    with calm(), unrecorded() as instance:
        job = job_of(made.defs(), DIRECTORY, of_names())
        ran = Ran(job.execute_in_process(instance=instance, run_config=QUIET))
    verdict = ran.of("raw/openai_directory", "read_complete")[None]
    assert "Connection 'acme-two' reads the organization of proj_" in verdict.because
    assert set(totals(made)) == {"acme"}
    made.run(FIRST, LAST, only=LEDGER)
    assert set(totals(made)) == {"acme"}, "a later read says nothing of an account"


# Pages of one reading that name two organizations.


def naming(account: str, since: date) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Let pages name another organization from a day on."""

    def alter(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
        body = response.json()
        for bucket in body.get("data", ()):
            if bucket.get("start_time", 0) >= epoch(since):
                for result in bucket["results"]:
                    result["organization_id"] = account
        return httpx.Response(response.status_code, json=body)

    return alter


def of_two_organizations(made: House, since: date) -> None:
    """Let the API of acme name another organization in mid-window; settings name none."""
    made.connections = (made.connections[0].model_copy(update={"organization_id": None}),)
    made.serve("acme")
    made.transports["acme"] = Altered(made.transports["acme"], naming("org-other", since))


def test_another_organization_in_mid_window_changes_nothing_of_the_reading(
    read_once: House, tmp_path: Path
) -> None:
    made = read_once.moved_to(tmp_path / "home")
    made.at(made.clock.now + timedelta(hours=1))
    of_two_organizations(made, since=day(18))
    kept, stored = files(made.home, "raw/openai/acme/costs"), files(made.home, "lake/core/spend")
    ran = made.run(FIRST, day(19), only=LEDGER)
    assert not ran.is_green
    assert ran.retried == 0
    assert (
        "Connection 'acme': this key reads org-other, but other days of the same reading are of "
        "org-tidewatermaps. Nothing was changed."
    ) in " ".join(ran.failures)
    assert files(made.home, "raw/openai/acme/costs") == kept
    assert files(made.home, "lake/core/spend") == stored
    assert refusal(made.archive, made.settings, made.connections[0]).startswith("Connection 'acme'")


def test_a_first_reading_of_two_organizations_leaves_nothing_behind(tmp_path: Path) -> None:
    made = house(tmp_path / "home", "acme")
    of_two_organizations(made, since=day(18))
    assert not made.run(FIRST, LAST, only=LEDGER).is_green
    assert all(not made.archive.reads("openai", "acme", "costs", one) for one in days(FIRST, LAST))
    made.serve("acme", organisation=organisation_of("org-other"))
    assert made.run(FIRST, LAST, only=LEDGER).is_green
    assert list(totals(made)) == ["acme"]


def test_a_second_connection_goes_on_where_the_first_reads_two_organizations(
    tmp_path: Path,
) -> None:
    made = house(tmp_path / "home", "acme", "harbour")
    harbour = made.connections[1]
    of_two_organizations(made, since=day(18))
    made.connections = (*made.connections, harbour)
    ran = made.run(FIRST, LAST, only=LEDGER)
    assert ran.is_green
    assert list(totals(made)) == ["harbour"]
    verdict = ran.of("raw/openai_costs", "read_complete")[str(FIRST)]
    assert (verdict.passed, verdict.severity) == (False, "ERROR")
    assert "org-other" in verdict.because
    assert "org-tidewatermaps" in verdict.because


def test_a_history_is_not_continued_by_a_reading_of_two_organizations(
    read_once: House, tmp_path: Path
) -> None:
    made = read_once.moved_to(tmp_path / "home")
    made.at(made.clock.now + timedelta(hours=1))
    made.connections = (connection("renamed"),)
    made.connections = (made.connections[0].model_copy(update={"organization_id": None}),)
    made.serve("renamed")
    made.transports["renamed"] = Altered(made.transports["renamed"], naming("org-other", day(18)))
    before = files(made.home, "raw/openai/acme/costs")
    assert not made.run(FIRST, LAST, only=LEDGER).is_green
    assert files(made.home, "raw/openai/acme/costs") == before


def test_a_reading_that_breaks_off_continues_the_history_it_belongs_to(
    read_once: House, tmp_path: Path
) -> None:
    """Two connections with the days of one organization would count them twice."""
    made = with_connections(read_once.moved_to(tmp_path / "home"), "renamed")
    (renamed,) = made.connections
    accounts = Accounts(made.settings, made.archive, OPENAI.costs)
    whole = made.newest("acme", LAST)
    read = DayRead("openai", "renamed", "costs", LAST, made.clock.now, {}, whole.bodies)

    def broken() -> Iterator[DayRead]:
        yield read
        raise ProviderUnavailable("renamed", "/organization/costs", "HTTP 503")

    with pytest.raises(ProviderUnavailable):
        list(accounts.checked(renamed, broken(), str))
    assert made.archive.connections("openai") == ["renamed"]
