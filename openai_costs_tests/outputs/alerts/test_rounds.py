"""`openai-costs deliver`: a round without Dagster, over a real connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.outputs.alerts.rounds import Told, headless
from openai_costs.outputs.alerts.rows import changes_frame, findings_frame
from openai_costs.settings import Alerts, Mute, Route
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.alerts.fixtures import NOW, change, day, finding, route
from openai_costs_tests.outputs.alerts.servers import closed_port, http_inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_costs_tests.outputs.alerts.servers import Inbox


@dataclass
class Site:
    """A home, its settings, and a clock turned by hand."""

    home: Path
    alerts: Alerts
    now: datetime = NOW

    @property
    def lake(self) -> Lake:
        return Lake(UPath(self.home))

    def has(self, count: int = 1) -> None:
        ids = [f"f{number:02}" for number in range(count)]
        found = findings_frame(finding(finding_id=one, change=2) for one in ids)
        self.lake.replace_whole(Findings, found)
        both = [change(n, kind, finding_id=one) for one in ids for n, kind in enumerate(KINDS, 1)]
        self.lake.replace_whole(FindingChanges, changes_frame(both))

    def settled_through(self, number: int) -> None:
        read = datetime(2026, 11, 20, tzinfo=UTC).replace(tzinfo=None)
        found = [("acme", "costs", day(n), "settled", 1, 1, read) for n in range(1, number + 1)]
        self.lake.replace_whole(
            Coverage, pl.DataFrame(found, schema=Coverage.types(), orient="row")
        )

    def round(self) -> list[Told]:
        settings = Settings(
            home=str(self.home),
            config_file=Path("openai_costs.toml"),
            connections=(OpenAIConnection(name="acme"),),
            alerts=self.alerts,
        )
        return list(headless(settings, lambda: self.now))


KINDS = ("opened", "growing")


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with http_inbox() as made:
        monkeypatch.setenv("ALERT_URL", made.url)
        monkeypatch.setenv("ALERT_SECRET", "s1gning")
        yield made


def site(home: Path, *routes: Route, mutes: tuple[Mute, ...] = ()) -> Site:
    return Site(home, Alerts(routes=routes or (route(),), mutes=mutes))


def said(told: list[Told]) -> list[tuple[str, str, str]]:
    return [(one.route, str(one.done), one.trouble) for one in told]


def test_a_round_sends_all_that_is_due_and_the_next_sends_nothing(
    tmp_path: Path, inbox: Inbox
) -> None:
    here = site(tmp_path)
    here.has(3)
    assert said(here.round()) == [("finops", "6 sent", "")]
    assert said(here.round()) == [("finops", "nothing due", "")]
    assert sorted(body["id"] for body in inbox.bodies) == [
        f"f{one:02}-{number}" for one in range(3) for number in (1, 2)
    ]


def test_a_channel_that_is_down_is_a_sentence_and_holds_up_no_other(
    tmp_path: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOWN_URL", f"http://127.0.0.1:{closed_port()}/s3cr3t")
    here = site(tmp_path, route("down", url_env="DOWN_URL"), route("well"))
    here.has(2)
    down, well = here.round()
    assert (str(down.done), str(well.done), well.trouble) == ("1 waiting", "4 sent", "")
    assert down.trouble == (
        "Route down did not take its messages (2 wait for another try): "
        "no connection (ConnectError)"
    )
    again, _ = here.round()
    assert (str(again.done), again.trouble) == ("nothing due", down.trouble)
    monkeypatch.setenv("DOWN_URL", inbox.url)
    here.now += timedelta(minutes=2)
    assert said(here.round()) == [("down", "4 sent", ""), ("well", "nothing due", "")]


def test_what_was_given_up_is_trouble_once(tmp_path: Path, inbox: Inbox) -> None:
    here = site(tmp_path, route("gone", "slack"))
    here.has()
    inbox.answers = [(404, "no_service"), (404, "no_service")]
    (told,) = here.round()
    assert told.trouble == (
        "Route gone did not take its messages (2 are given up): HTTP 404: no_service"
    )
    here.now += timedelta(minutes=2)
    assert said(here.round()) == [("gone", "nothing due", "")]


def test_late_data_is_found_and_told_in_the_same_round(tmp_path: Path, inbox: Inbox) -> None:
    here = site(tmp_path, route("ops", rules=("data.*",)))
    here.settled_through(18)
    assert said(here.round()) == [("ops", "1 sent", "")]
    assert [body["finding"]["rule"] for body in inbox.bodies] == ["data.late"]
    here.settled_through(21)
    assert said(here.round()) == [("ops", "1 sent", "")]
    assert [body["kind"] for body in inbox.bodies] == ["opened", "closed"]


def test_a_mute_of_the_settings_begins_with_the_round(tmp_path: Path, inbox: Inbox) -> None:
    quiet = Mute(rule="anomalies.*", reason="load test", until=day(30))
    here = site(tmp_path, mutes=(quiet,))
    here.has()
    assert said(here.round()) == [("finops", "2 skipped", "")]
    assert inbox.got == []
    assert here.lake.read(Findings)["state"].to_list() == ["muted"]
