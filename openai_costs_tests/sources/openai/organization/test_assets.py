import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
import stamina

from openai_costs.orchestration.event_log import unrecorded
from openai_costs.sources.openai.organization.assets import ORGANIZATION
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.organization.assets import TRIES, whole_assets
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.users import Users
from openai_costs_tests.org import (
    QUIET,
    HandClock,
    House,
    Ran,
    Verdict,
    calm,
    connection,
    stored,
)
from openai_costs_tests.sources.openai.organization.wire import (
    Lists,
    Said,
    key,
    organisation,
    project,
    user,
)
from openai_costs_tests.sources.organization.test_ledger_ids import fill, spent

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOON.date()
FIRST = date(2026, 11, 12)
ABC = organisation("a", "b", "c")


class Office(House):
    """A home whose connections answer with literal lists."""

    def answers(self, name: str, lists: dict[str, Said], **more: int) -> Lists:
        wire = Lists(lists, **more)
        self.transports[name] = wire
        return wire

    def ask(self, *, hours: int = 0, without_requests: bool = False) -> Ran:
        """Run the directory's own part of its job, some hours later."""
        self.at(self.clock.now + timedelta(hours=hours))
        ours = {one.key for one in whole_assets()}
        if without_requests:
            self.silence()
            ours -= {ORGANIZATION.pages.key}
        job = self.defs().resolve_job_def("directory").get_subset(asset_selection=ours)
        with calm(), unrecorded() as used, stamina.set_testing(True, attempts=1):
            return Ran(
                job.execute_in_process(instance=used, raise_on_error=False, run_config=QUIET)
            )

    def ask_with(self, lists: dict[str, Said]) -> Ran:
        """Run the job over other lists."""
        self.answers("acme", lists)
        return self.ask()

    def held(self, table: Any, columns: str = "id status") -> list[tuple[Any, ...]]:  # noqa: ANN401
        return self.lake.read(table).select(columns.split()).rows()


def office(home: Path, *connections: OpenAIConnection) -> Office:
    made = Office(str(home), connections or (connection("acme"),), HandClock(NOON))
    for one in made.connections:
        made.answers(one.name, ABC)
    return made


@pytest.fixture
def acme(tmp_path: Path) -> Office:
    return office(tmp_path / "home")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, Ran]:
    """A home whose lists were read, which nobody changes, and that run."""
    made = office(tmp_path_factory.mktemp("once") / "home")
    return made, made.ask()


@pytest.fixture
def asked(once: tuple[Office, Ran], tmp_path: Path) -> Office:
    """The same home elsewhere, so that a test may do to it what it likes."""
    return office(Path(shutil.copytree(once[0].home, tmp_path / "home")))


def said(ran: Ran, asset: str, check: str) -> Verdict:
    return ran.of(asset, check)[None]


def test_one_run_reads_the_lists_and_makes_all_eight_tables(once: tuple[Office, Ran]):
    acme, ran = once
    assert ran.is_green
    assert ran.objections == []
    assert acme.held(Projects) == [("proj_a", "active"), ("proj_b", "active"), ("proj_c", "active")]
    assert all(acme.lake.has(kind.table) for kind in KINDS)
    assert len(acme.archive.reads("openai", "acme", "directory", TODAY)) == 1


def test_the_tables_can_be_made_again_from_the_kept_reads_alone(asked: Office):
    asked.answers("acme", organisation("a", "b", "d"))
    asked.ask(hours=24)
    before = stored(asked.home)
    assert "core/projects" in before
    shutil.rmtree(Path(asked.home) / "lake")
    assert asked.ask(without_requests=True).is_green
    assert stored(asked.home) == before


def test_a_connection_that_gives_costs_only_is_not_asked_and_the_check_says_so(tmp_path: Path):
    here = office(tmp_path, connection("acme"), connection("labs", access="costs_only"))
    ran = here.ask()
    verdict = said(ran, "raw/openai_directory", "read_complete")
    assert verdict.passed
    assert verdict.because == "labs: not requested: access is costs_only."
    wire = here.transports["labs"]
    assert isinstance(wire, Lists)
    assert wire.asked == []


def test_without_the_scope_the_step_ends_and_the_tables_hold_what_the_ledger_names(acme: Office):
    fill(acme.lake, Spend, spent(FIRST, "3", api_key_id="key_x", project_id="proj_x"))
    acme.answers("acme", {"/organization/projects": (403, "Missing scopes.")})
    ran = acme.ask()
    verdict = said(ran, "raw/openai_directory", "read_complete")
    assert ran.is_green
    assert (verdict.passed, verdict.severity) == (False, "ERROR")
    assert "the scope api.management.read" in verdict.because
    assert acme.held(ApiKeys) == [("key_x", "not_listed")]
    assert acme.held(Projects) == [("proj_x", "not_listed")]


def test_a_connection_that_fails_does_not_keep_the_others_from_being_read(tmp_path: Path):
    here = office(tmp_path, connection("acme"), connection("labs"))
    here.answers("acme", {"/organization/projects": (403, "Missing scopes.")})
    ran = here.ask()
    verdict = said(ran, "raw/openai_directory", "read_complete")
    assert not verdict.passed
    assert "'acme'" in verdict.because
    assert "'labs'" not in verdict.because
    assert set(here.held(Projects, "connection")) == {("labs",)}


class Shaky(Lists):
    """Breaks down once at every so many requests."""

    def __init__(self, lists: dict[str, Said], *, every: int) -> None:
        super().__init__(lists)
        self._every = every

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answered = super().handle_request(request)
        if len(self.asked) % self._every == 0:
            self.break_down()
        return answered


def test_a_reading_that_breaks_off_is_tried_again_and_goes_on(acme: Office):
    acme.transports["acme"] = wire = Shaky(ABC, every=9)
    ran = acme.ask()
    assert said(ran, "raw/openai_directory", "read_complete").passed
    assert len(wire.asked) == 21 + 2
    assert len(acme.archive.reads("openai", "acme", "directory", TODAY)) == 1


def test_an_outage_that_lasts_is_reported_and_the_step_ends(acme: Office):
    wire = acme.answers("acme", ABC, breaks_after=8)
    ran = acme.ask()
    verdict = said(ran, "raw/openai_directory", "read_complete")
    assert ran.is_green
    assert (verdict.passed, verdict.severity) == (False, "ERROR")
    assert "the network is gone" in verdict.because
    assert len(wire.asked) == 8 + TRIES
    assert acme.archive.reads("openai", "acme", "directory", TODAY) == []


@pytest.fixture(scope="module")
def remarkable(tmp_path_factory: pytest.TempPathFactory) -> tuple[Office, Ran]:
    """A home whose lists lack one, have a new field and a robot, and not all ids of the ledger."""
    made = office(tmp_path_factory.mktemp("remarkable") / "home")
    keys = {"key_x": "3.25", "key_y": "4", "key_a": "5"}
    fill(made.lake, Spend, *(spent(FIRST, usd, api_key_id=one) for one, usd in keys.items()))
    fill(made.lake, SpendByUser, spent(FIRST, "3", user_id="svc_a"))
    odd: dict[str, Said] = {
        "/organization/admin_api_keys": (403, "Owners only."),
        "/organization/projects": [project("a", colour="teal")],
        "/organization/projects/proj_a/service_accounts": [{"id": "svc_a", "name": "robot"}],
    }
    return made, made.ask_with(ABC | odd)


def test_a_list_that_was_never_given_is_a_warning_that_names_it(remarkable: tuple[Office, Ran]):
    verdict = said(remarkable[1], "raw/openai_directory", "read_complete")
    assert (verdict.passed, verdict.severity) == (False, "WARN")
    assert (
        verdict.because
        == "acme: the provider did not give admin_api_keys (HTTP 403: Owners only.)."
    )


def test_a_field_that_is_new_is_a_warning_that_names_it(remarkable: tuple[Office, Ran]):
    verdict = said(remarkable[1], "core/projects", "known_fields")
    assert (verdict.passed, verdict.severity) == (False, "WARN")
    assert verdict.because == "acme: unknown, kept in raw: projects.colour"


def test_ids_that_no_list_knows_are_counted_named_and_priced(remarkable: tuple[Office, Ran]):
    verdict = said(remarkable[1], "core/api_keys", "known_ids")
    assert (verdict.passed, verdict.severity) == (False, "WARN")
    assert verdict.because == "acme: api keys in no list: 2, with $7.25: key_y, key_x"


def test_a_service_account_that_the_ledger_calls_a_user_is_known(
    remarkable: tuple[Office, Ran],
):
    acme, ran = remarkable
    assert said(ran, "core/users", "known_ids").passed
    assert acme.held(Users) == [("user-ada", "active"), ("user-bo", "active")]
    assert acme.held(ServiceAccounts) == [("svc_a", "active")]


def test_a_list_that_one_project_was_not_given_is_no_warning(acme: Office):
    acme.answers("acme", ABC | {"/organization/projects/proj_b/users": (404, "Not found.")})
    assert said(acme.ask(), "raw/openai_directory", "read_complete").passed


def test_a_list_that_no_project_was_given_is_one(acme: Office):
    refused: dict[str, Said] = {
        f"/organization/projects/proj_{name}/spend_alerts": (404, "Unknown URL.") for name in "abc"
    }
    verdict = said(acme.ask_with(ABC | refused), "raw/openai_directory", "read_complete")
    assert (
        verdict.because == "acme: the provider did not give spend_alerts (HTTP 404: Unknown URL.)."
    )


def test_a_page_that_cannot_be_used_leaves_its_table_as_it_was_and_the_others_are_made(
    asked: Office,
):
    before = asked.lake.read(Users)
    nameless = {"object": "organization.user", "name": "Nobody"}
    asked.answers("acme", organisation("a", "b") | {"/organization/users": [user("ada"), nameless]})
    ran = asked.ask(hours=1)
    verdict = said(ran, "core/users", "contract")
    assert ran.is_green
    assert (verdict.passed, verdict.severity) == (False, "ERROR")
    assert "data[1]" in verdict.because
    assert "users.0.json" in verdict.because
    assert asked.lake.read(Users).equals(before)
    assert ("proj_c", "vanished") in asked.held(Projects)


def test_rows_that_break_the_contract_leave_the_table_as_it_was(
    asked: Office, monkeypatch: pytest.MonkeyPatch
):
    before = asked.lake.read(Projects)

    def strict(_frame: pl.DataFrame) -> list[str]:
        return ["rule at_most_one on id: 3 rows"]

    monkeypatch.setattr(Projects, "broken_rules", strict)
    asked.answers("acme", organisation("d"))
    ran = asked.ask(hours=1)
    assert ran.is_green
    assert "at_most_one" in said(ran, "core/projects", "contract").because
    assert asked.lake.read(Projects).equals(before)


def test_ids_of_a_connection_that_is_not_asked_are_rows_and_no_warning(tmp_path: Path):
    here = office(tmp_path, connection("labs", access="costs_only"))
    fill(here.lake, Spend, spent(FIRST, "3", api_key_id="key_x", connection="labs"))
    ran = here.ask()
    assert said(ran, "core/api_keys", "known_ids").passed
    assert here.held(ApiKeys) == [("key_x", "not_listed")]


def test_a_list_that_shrank_by_more_than_half_is_an_error_that_names_both_numbers(asked: Office):
    asked.answers("acme", organisation("a"))
    ran = asked.ask(hours=24)
    verdict = said(ran, "core/projects", "did_not_shrink")
    assert ran.is_green
    assert (verdict.passed, verdict.severity) == (False, "ERROR")
    assert verdict.because == (
        "acme: 3 rows in an earlier read and 1 in the newest: more than half are missing. None of "
        "them counts as gone before a list of another day has as few"
    )
    assert asked.held(Projects)[1] == ("proj_b", "active")
    ran = asked.ask(hours=24)
    assert said(ran, "core/projects", "did_not_shrink").passed
    assert asked.held(Projects)[1] == ("proj_b", "vanished")


def test_an_empty_list_of_members_is_an_error_and_takes_no_member_away(asked: Office):
    before = asked.lake.read(Users)
    asked.answers("acme", ABC | {"/organization/users": []})
    for _ in range(2):
        verdict = said(asked.ask(hours=24), "core/users", "did_not_shrink")
        assert (verdict.passed, verdict.severity) == (False, "ERROR")
        assert "An empty list is not believed" in verdict.because
        assert asked.lake.read(Users).equals(before)


def test_a_list_that_is_no_longer_asked_for_is_not_an_error_for_good(asked: Office):
    asked.answers("acme", ABC | {"/organization/users": []})
    asked.ask(hours=24)
    asked.connections = (connection("acme", access="costs_only"),)
    assert said(asked.ask(hours=24), "core/users", "did_not_shrink").passed
    asked.connections = (connection("labs"),)
    asked.answers("labs", ABC)
    assert said(asked.ask(hours=24), "core/users", "did_not_shrink").passed


def test_a_run_for_one_connection_keeps_the_rows_of_the_others(tmp_path: Path):
    here = office(tmp_path, connection("acme"), connection("labs"))
    here.ask()
    here.connections = here.connections[:1]
    here.answers("acme", organisation("b", "c"))
    here.ask(hours=1)
    assert ("labs", "proj_a", "active") in here.held(Projects, "connection id status")
    assert ("acme", "proj_a", "vanished") in here.held(Projects, "connection id status")


def test_no_address_is_in_any_verdict_or_figure(acme: Office):
    acme.answers("acme", ABC | {"/organization/users": [user("ada", mood="x@y.example"), key("k")]})
    ran = acme.ask()
    told = [one.because for one in ran.verdicts]
    told += [str(event) for event in ran.result.all_events]
    assert not [line for line in told if "@" in line]


def test_the_money_never_waits_for_the_directory(acme: Office):
    defs = acme.defs()
    refreshed = defs.resolve_job_def("refresh").asset_layer.executable_asset_keys
    assert {one.key for one in whole_assets()} & set(refreshed) == set()


def test_the_directory_is_read_once_a_day_after_the_money(acme: Office):
    schedule = acme.defs().resolve_schedule_def("daily_directory")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 4 * * *", "UTC")
    assert schedule.job_name == "directory"
