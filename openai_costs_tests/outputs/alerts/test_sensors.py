from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from upath import UPath

from openai_costs.orchestration.jobs import CONNECTION
from openai_costs.outputs.alerts.delivery import DeliveryCounts
from openai_costs.outputs.alerts.sensors import sensors
from openai_costs.settings import Alerts, Route
from openai_costs.settings.load import Settings
from openai_costs.settings.mutes import Mute
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import calm, connected
from openai_costs_tests.outputs.alerts.fixtures import NOW, day, route
from openai_costs_tests.outputs.alerts.servers import http_inbox

OPS = route("ops", rules=("data.*",))


@dg.asset(key=["core", "spend"], owners=["team:ledger"])
def spend() -> None:
    raise ValueError("a column is gone")


@dataclass
class Site:
    """A code location with the sensors only, and a lake whose data is late."""

    home: Path
    routes: tuple[Route, ...] = (OPS,)
    resent: DeliveryCounts = field(default_factory=DeliveryCounts)
    file: dict[str, Any] = field(default_factory=dict)
    """What the settings file says otherwise by now."""

    @property
    def settings(self) -> Settings:
        return Settings(
            home=str(self.home),
            config_file=Path("openai_costs.toml"),
            connections=(OpenAIConnection(name="acme"),),
            alerts=Alerts(routes=self.routes),
        )

    def current(self) -> Settings:
        return self.settings.model_copy(update=self.file)

    @property
    def lake(self) -> Lake:
        return Lake(UPath(self.home))

    def late(self, through: int) -> None:
        read = datetime(2026, 11, 20, tzinfo=UTC).replace(tzinfo=None)
        rows = [("acme", "costs", day(n), "settled", 1, 1, read) for n in range(1, through + 1)]
        frame = connected(rows)
        self.lake.replace_whole(Coverage, frame)

    def tick(self, name: str, instance: dg.DagsterInstance | None = None) -> Any:  # noqa: ANN401
        built = sensors(self.settings, self.current, lambda *_: self.resent)
        made = {one.name: one for one in built}
        defs = dg.Definitions([spend], jobs=[dg.define_asset_job("refresh", [spend])])
        with calm(), dg.DagsterInstance.ephemeral() as fresh:
            context = dg.build_sensor_context(
                instance=instance or fresh,
                definitions=defs,
                resources={
                    "lake": self.lake,
                    "home": UPath(self.home),
                    "clock": lambda: NOW,
                },
            )
            return made[name].evaluate_tick(context)

    def found(self) -> list[tuple[str, str]]:
        return self.lake.read(Findings).select("rule", "state").rows()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_sensors_are_on_when_there_is_a_route_and_off_without() -> None:
    running, stopped = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
    for routes, status in (((OPS,), running), ((), stopped)):
        site = Site(Path("nowhere"), routes)
        made = sensors(site.settings, site.current, lambda *_: DeliveryCounts())
        assert {one.name for one in made} == {"watch_data", "deliver_findings"}
        assert {one.default_status for one in made} == {status}


def test_late_data_is_found_without_a_run_and_closed_when_it_settles(site: Site) -> None:
    site.late(through=18)
    site.tick("watch_data")
    site.tick("watch_data")
    assert site.found() == [("data.late", "open")]
    site.late(through=21)
    site.tick("watch_data")
    assert site.found() == [("data.late", "closed")]


def test_a_failed_run_is_found(site: Site) -> None:
    site.late(through=21)
    with calm(), dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            [spend], jobs=[dg.define_asset_job("refresh", [spend])], executor=dg.in_process_executor
        ).resolve_job_def("refresh")
        job.execute_in_process(instance=instance, raise_on_error=False)
        run = instance.get_run_records(limit=1)[0]
        assert run.end_time is not None
        site.tick("watch_data", instance)
    assert site.found() == [("data.run_failed", "open")]


def test_a_finding_is_delivered_once_by_the_other_sensor(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.late(through=18)
    with http_inbox() as inbox:
        monkeypatch.setenv("ALERT_URL", inbox.url)
        monkeypatch.setenv("ALERT_SECRET", "s1gning")
        site.tick("watch_data")
        first, second = (site.tick("deliver_findings") for _ in range(2))
        site.late(through=21)
        site.tick("watch_data")
        site.tick("deliver_findings")
    assert [body["kind"] for body in inbox.bodies] == ["opened", "closed"]
    assert (first.skip_message, second.skip_message) == ("1 sent", "nothing to send")
    assert [event.asset_key for event in first.asset_events] == [
        dg.AssetKey(["mart", "deliveries"])
    ]
    assert second.asset_events == []


def test_routes_and_mutes_are_those_of_the_settings_file_at_each_tick(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run mutes by the file: a sensor that has not read it opened the finding, and sent it."""
    mute = Mute(rule="data.late", reason="a known outage", until=date(2026, 12, 24), by="Ada")
    site.late(through=18)
    with http_inbox() as inbox:
        monkeypatch.setenv("ALERT_URL", inbox.url)
        monkeypatch.setenv("ALERT_SECRET", "s1gning")
        site.tick("watch_data")
        site.file = {"alerts": Alerts(routes=())}
        assert site.tick("deliver_findings").skip_message == "nothing to send"
        site.file = {"alerts": Alerts(routes=(OPS,), mutes=(mute,))}
        for _ in range(2):
            site.tick("watch_data")
            site.tick("deliver_findings")
    assert site.found() == [("data.late", "muted")]
    assert [body["kind"] for body in inbox.bodies if body["kind"] == "opened"] == []


def test_a_connection_that_the_settings_file_has_since_is_watched(site: Site) -> None:
    site.late(through=21)
    site.file = {"connections": (OpenAIConnection(name="bolt"),)}
    with calm(), dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            [spend], jobs=[dg.define_asset_job("refresh", [spend])], executor=dg.in_process_executor
        ).resolve_job_def("refresh")
        job.execute_in_process(instance=instance, raise_on_error=False, tags={CONNECTION: "bolt"})
        site.tick("watch_data", instance)
    found = site.lake.read(Findings).filter(rule="data.run_failed")
    assert found["connection"].to_list() == ["bolt"]


def test_a_route_for_spend_receives_nothing_about_data(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    spender = Site(site.home, (route("spenders"),))
    spender.late(through=18)
    with http_inbox() as inbox:
        monkeypatch.setenv("ALERT_URL", inbox.url)
        monkeypatch.setenv("ALERT_SECRET", "s1gning")
        spender.tick("watch_data")
        spender.tick("deliver_findings")
    assert inbox.got == []
    assert spender.lake.read(Deliveries).height == 0


def test_the_same_sensor_sends_again_what_is_no_finding(site: Site) -> None:
    site.resent = DeliveryCounts(sent=1)
    assert site.tick("deliver_findings").skip_message == "1 sent"
