"""`openai-costs deliver`: evaluate, record and send without Dagster, over a real connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from upath import UPath

from openai_costs.outputs.alerts.cron import RouteResult, deliver_once
from openai_costs.outputs.alerts.rows import changes_frame, findings_frame
from openai_costs.settings import Alerts, Mute, Route
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import connected
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
            Coverage,
            connected(found),
        )

    def read_through(self, number: int) -> None:
        """Settle all days up to one, by a read of the next but one."""
        self.settled_through(number)
        read = datetime(2026, 11, 2, 3, tzinfo=UTC) + timedelta(days=number)
        slices = {Slice("acme", day(number)): read}
        self.lake.replace(SpendControl, [Batch(SpendControl.no_rows(), slices)])

    def deliver(self) -> list[RouteResult]:
        settings = Settings(
            home=str(self.home),
            config_file=Path("openai_costs.toml"),
            connections=(OpenAIConnection(name="acme"),),
            alerts=self.alerts,
        )
        return list(deliver_once(settings, lambda: self.now))


KINDS = ("opened", "growing")


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    with http_inbox() as made:
        monkeypatch.setenv("ALERT_URL", made.url)
        monkeypatch.setenv("ALERT_SECRET", "s1gning")
        yield made


def site(home: Path, *routes: Route, mutes: tuple[Mute, ...] = ()) -> Site:
    return Site(home, Alerts(routes=routes or (route(),), mutes=mutes))


def results(found: list[RouteResult]) -> list[tuple[str, str, str]]:
    return [(one.route, str(one.counts), one.trouble) for one in found]


def test_one_call_sends_the_whole_queue_and_the_next_sends_nothing(
    tmp_path: Path, inbox: Inbox
) -> None:
    here = site(tmp_path)
    here.has(3)
    assert results(here.deliver()) == [("finops", "6 sent", "")]
    assert results(here.deliver()) == [("finops", "nothing to send", "")]
    assert sorted(body["id"] for body in inbox.bodies) == [
        f"f{one:02}-{number}" for one in range(3) for number in (1, 2)
    ]


def test_a_channel_that_is_down_is_reported_and_delays_no_other(
    tmp_path: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOWN_URL", f"http://127.0.0.1:{closed_port()}/s3cr3t")
    here = site(tmp_path, route("down", url_env="DOWN_URL"), route("well"))
    here.has(2)
    down, well = here.deliver()
    assert (str(down.counts), str(well.counts), well.trouble) == ("1 waiting", "4 sent", "")
    assert down.trouble == (
        "Route down did not deliver its messages (2 waiting for another attempt): "
        "no connection to the server: it refuses connections on this port"
    )
    again, _ = here.deliver()
    assert (str(again.counts), again.trouble) == ("nothing to send", down.trouble)
    monkeypatch.setenv("DOWN_URL", inbox.url)
    here.now += timedelta(minutes=2)
    assert results(here.deliver()) == [("down", "4 sent", ""), ("well", "nothing to send", "")]


def test_a_message_that_was_given_up_is_reported_once(tmp_path: Path, inbox: Inbox) -> None:
    here = site(tmp_path, route("gone", "slack"))
    here.has()
    inbox.answers = [(404, "no_service"), (404, "no_service")]
    (result,) = here.deliver()
    assert result.trouble == (
        "Route gone did not deliver its messages (2 given up): HTTP 404: no_service"
    )
    here.now += timedelta(minutes=2)
    assert results(here.deliver()) == [("gone", "nothing to send", "")]


def test_late_data_is_found_and_sent_by_the_same_call(tmp_path: Path, inbox: Inbox) -> None:
    here = site(tmp_path, route("ops", rules=("data.*",)))
    here.settled_through(18)
    assert results(here.deliver()) == [("ops", "1 sent", "")]
    assert [body["finding"]["rule"] for body in inbox.bodies] == ["data.late"]
    here.settled_through(21)
    assert results(here.deliver()) == [("ops", "1 sent", "")]
    assert [body["kind"] for body in inbox.bodies] == ["opened", "closed"]


def test_a_mute_of_the_settings_takes_effect_before_sending(tmp_path: Path, inbox: Inbox) -> None:
    quiet = Mute(rule="anomalies.*", reason="load test", until=day(30))
    here = site(tmp_path, mutes=(quiet,))
    here.has()
    assert results(here.deliver()) == [("finops", "2 skipped", "")]
    assert inbox.got == []
    assert here.lake.read(Findings)["state"].to_list() == ["muted"]


def test_one_run_under_a_clock_ahead_silences_no_later_alert(tmp_path: Path, inbox: Inbox) -> None:
    here = site(tmp_path, route("ops", rules=("data.*",)))
    here.read_through(21)
    here.now = NOW + timedelta(days=40)  # and no server answered
    here.deliver()
    here.now = NOW + timedelta(days=1)
    here.read_through(22)
    here.deliver()
    assert [body["kind"] for body in inbox.bodies] == ["opened", "closed"]
    here.now = NOW + timedelta(days=9)
    here.deliver()
    late = inbox.bodies[-1]
    assert (late["kind"], late["finding"]["since_day"]) == ("opened", str(day(23)))
    (found,) = here.lake.read(Findings).filter(state="open").rows(named=True)
    assert (found["day"], found["since_day"]) == (here.now.date(), day(23))
    here.read_through(31)
    here.deliver()
    assert inbox.bodies[-1]["kind"] == "closed"


def test_a_clock_behind_the_newest_read_ends_nothing(tmp_path: Path, inbox: Inbox) -> None:
    here = site(tmp_path, route("ops", rules=("data.*",)))
    here.read_through(18)
    here.deliver()
    here.now = NOW - timedelta(days=30)
    here.deliver()
    assert [body["kind"] for body in inbox.bodies] == ["opened"]
