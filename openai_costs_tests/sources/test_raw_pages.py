from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    ErrorAnswer,
    OpenAICostsError,
    ProviderUnavailable,
)
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import range_tags
from openai_costs.orchestration.table_assets import LakeIOManager
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.page_checks import READ_COMPLETE
from openai_costs.sources.provider import CostSource, RawPages, Reach, Tell
from openai_costs.sources.raw_pages import raw_pages
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.lake import Lake
from openai_costs_tests.org import Ran, calm

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)
DAYS = DayRange(FIRST, LAST)
BY_DAY = dg.DailyPartitionsDefinition(str(FIRST))
ACME = OpenAIConnection(name="acme", start=FIRST)
LABS = OpenAIConnection(name="labs", start=FIRST)
LEAN = OpenAIConnection(name="lean", start=FIRST, access="costs_only")
DOWN = ProviderUnavailable("labs", "/organization/costs", "HTTP 503")
REFUSED = AccessRefused(ErrorAnswer("labs", 403, "/organization/costs", "no scope"), "LABS_KEY")

LEDGER, EXPLANATION = False, True
"""Whether the pages explain the ledger."""


class Reader:
    """Reads every day of a connection, but none of one that fails."""

    def __init__(self, fails: Mapping[str, OpenAICostsError]) -> None:
        self.fails = fails
        self.asked: list[str] = []

    def read(self, connection: OpenAIConnection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        tell(f"{connection.name} {days}")
        self.asked.append(connection.name)
        if error := self.fails.get(connection.name):
            raise error
        for day in days:
            read_at = datetime(2026, 3, 9, tzinfo=UTC)
            yield DayRead("openai", connection.name, "bills", day, read_at, {}, {"ledger": b"{}"})


class Desk:
    def __init__(self, home: Path) -> None:
        self.home = UPath(home)
        self.archive = Archive(self.home)
        self.reader = Reader({})

    def ran(
        self,
        is_explanation: bool,  # noqa: FBT001 - LEDGER or EXPLANATION
        *connections: Connection,
        first_day: date | None = None,
        **fails: OpenAICostsError,
    ) -> Ran:
        """Materialise the pages over three days."""
        self.reader = Reader(fails)
        pages = RawPages(
            provider="openai",
            dataset="bills",
            description="Bills as they came.",
            group="sources/openai",
            reader=lambda *_run: self.reader,
            first_day=lambda _archive, connection: first_day or connection.first_day,
        )
        costs = CostSource(pages, ledger=lambda _reads, _connection: iter(()))
        named = Settings(home=str(self.home), config_file=Path("none"), connections=connections)
        resources: dict[str, Any] = {
            "reach": Reach(),
            "clock": lambda: datetime(2026, 3, 9, tzinfo=UTC),
            "archive": self.archive,
            "settings": named,
            "lake_io": LakeIOManager(Lake(self.home)),
        }
        with calm(), unrecorded() as instance:
            result = dg.materialize(
                [raw_pages(pages, None if is_explanation else costs)(BY_DAY)],
                instance=instance,
                resources=resources,
                tags=range_tags(DAYS),
                raise_on_error=False,
            )
        return Ran(result)

    def kept(self, name: str) -> list[date]:
        return [day for day in DAYS if self.archive.reads("openai", name, "bills", day)]


def verdicts(ran: Ran) -> dict[str | None, tuple[bool, str]]:
    return {
        day: (one.passed, one.because)
        for day, one in ran.of("raw/openai_bills", "read_complete").items()
    }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("kind", [LEDGER, EXPLANATION], ids=["ledger", "explanation"])
def test_every_day_is_kept_and_has_its_verdict(desk: Desk, *, kind: bool):
    ran = desk.ran(kind, ACME, LABS)
    assert ran.is_green
    assert desk.kept("acme") == desk.kept("labs") == [*DAYS]
    assert verdicts(ran) == {str(day): (True, READ_COMPLETE.promise) for day in DAYS}


@pytest.mark.parametrize("kind", [LEDGER, EXPLANATION], ids=["ledger", "explanation"])
def test_one_connection_that_fails_turns_the_check_red_and_not_the_run(desk: Desk, *, kind: bool):
    ran = desk.ran(kind, ACME, LABS, labs=REFUSED)
    assert ran.is_green
    assert desk.kept("acme") == [*DAYS]
    assert verdicts(ran) == {str(day): (False, str(REFUSED)) for day in DAYS}


@pytest.mark.parametrize(("error", "retries"), [(REFUSED, 0), (DOWN, 2)])
def test_a_ledger_that_cannot_be_read_at_all_ends_the_run(
    desk: Desk, error: OpenAICostsError, retries: int
):
    ran = desk.ran(LEDGER, LABS, labs=error)
    assert not ran.is_green
    assert ran.retried == retries
    assert str(error) in ran.failures[0]
    assert verdicts(ran)[str(LAST)] == (False, str(error))


@pytest.mark.parametrize("error", [REFUSED, DOWN])
def test_an_explanation_that_cannot_be_read_at_all_stops_nothing_and_is_red(
    desk: Desk, error: OpenAICostsError
):
    ran = desk.ran(EXPLANATION, LABS, labs=error)
    assert (ran.is_green, ran.retried) == (True, 0)
    assert verdicts(ran) == {str(day): (False, str(error)) for day in DAYS}
    assert {one.severity for one in ran.objections} == {"ERROR"}


def test_a_connection_that_gives_costs_only_is_asked_for_the_ledger(desk: Desk):
    desk.ran(LEDGER, ACME, LEAN)
    assert desk.reader.asked == ["acme", "lean"]


def test_a_connection_that_gives_costs_only_is_not_asked_for_an_explanation(desk: Desk):
    ran = desk.ran(EXPLANATION, ACME, LEAN)
    assert desk.reader.asked == ["acme"]
    because = "lean: not requested, because access is costs_only."
    assert verdicts(ran) == {str(day): (True, because) for day in DAYS}


def test_a_home_whose_connections_all_give_costs_only_needs_no_explanation(desk: Desk):
    ran = desk.ran(EXPLANATION, LEAN)
    assert ran.is_green
    assert desk.reader.asked == []
    assert ran.objections == []


def test_a_run_that_asks_no_connection_judges_no_day_and_says_so(desk: Desk):
    other = AnthropicConnection(name="other", start=FIRST)
    ran = desk.ran(LEDGER, other)
    assert ran.is_green
    assert (desk.reader.asked, verdicts(ran)) == ([], {})
    newest = ran.result.get_asset_materialization_events()[-1].materialization
    assert newest.metadata["note"].value == "This run asks no connection of openai."


def test_a_failed_connection_owes_no_day_before_its_history(desk: Desk):
    ran = desk.ran(EXPLANATION, LABS, first_day=LAST, labs=REFUSED)
    assert [day for day, (passed, _) in verdicts(ran).items() if not passed] == [str(LAST)]


def test_the_pages_record_their_bytes_day_by_day(desk: Desk):
    ran = desk.ran(LEDGER, ACME, LABS)
    figures = {
        one.partition: {name: value.value for name, value in one.metadata.items()}
        for event in ran.result.all_events
        if event.is_step_materialization
        for one in (event.event_specific_data.materialization,)  # type: ignore[union-attr]
    }
    assert {name: figures[str(FIRST)][name] for name in ("connections", "body_bytes")} == {
        "connections": "acme, labs",
        "body_bytes": 4,
    }
    assert figures[str(FIRST)]["evidence of labs"].endswith(f"labs/bills/{FIRST}")
