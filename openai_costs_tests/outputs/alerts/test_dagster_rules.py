from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from openai_costs.orchestration.jobs import asking
from openai_costs.orchestration.verdict_scope import Scope
from openai_costs.outputs.alerts.dagster_rules import DagsterHistory
from openai_costs.settings import Gateway
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.settings import AnthropicConnection
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.tables.candidate import Finding
from openai_costs_tests.org import QUIET, calm

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
DAYS = dg.DailyPartitionsDefinition("2026-11-01", end_date="2026-11-10")
KEY = dg.AssetKey(["core", "spend"])
CLAUDE_PAGES = dg.AssetKey(["raw", "anthropic_costs"])
METER_PAGES = dg.AssetKey(["raw", "gateway_meter"])
FIRST_TWO = ("2026-11-01", "2026-11-02")
NONE = ("a connection of another provider",)


class Nothing(dg.IOManager):
    """Keeps nothing: these assets are about their checks."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None: ...

    def load_input(self, context: dg.InputContext) -> None: ...


@dataclass
class Plant:
    """A table with a check per day and one for all days, and a job that materialises it."""

    failing: set[str] = field(default_factory=set)
    breaks: str = ""
    asks: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    reason: str = "sums differ by 3.20 USD"
    key: dg.AssetKey = KEY

    def defs(self) -> dg.Definitions:
        specs = [
            dg.AssetCheckSpec("ties_out", asset=self.key, partitions_def=DAYS),
            dg.AssetCheckSpec("contiguous", asset=self.key),
        ]

        @dg.asset(
            key=self.key,
            partitions_def=DAYS,
            check_specs=specs,
            owners=["team:ledger"],
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def spend(context: dg.AssetExecutionContext) -> Iterator[Any]:
            if self.breaks == "by accident":
                raise ValueError("a column is gone")
            if self.breaks:
                raise dg.Failure(self.breaks, allow_retries=False)
            yield dg.Output(None)
            for day in context.partition_keys:
                if self.asks != NONE:
                    yield self.verdict("ties_out", day not in self.failing, day)
            if self.asks != NONE:
                yield self.verdict("contiguous", "all" not in self.failing, None)
            for spec in specs:
                yield dg.Output(None, output_name=spec.get_python_identifier())

        job = dg.define_asset_job("refresh", selection=dg.AssetSelection.assets(spend))
        return dg.Definitions(
            [spend],
            jobs=[job],
            resources={"io_manager": Nothing()},
            executor=dg.in_process_executor,
        )

    def verdict(self, name: str, passed: bool, day: str | None) -> dg.AssetCheckEvaluation:  # noqa: FBT001
        return dg.AssetCheckEvaluation(
            asset_key=self.key,
            check_name=name,
            passed=passed and not self.refused,
            severity=self.severity,
            description=self.reason,
            metadata=Scope(self.asks, dict.fromkeys(self.refused, self.reason)).figures(),
            partition=day,
        )

    def run(self, instance: dg.DagsterInstance, first: str, last: str) -> None:
        tags = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
            **asking(self.asks),
        }
        self.defs().resolve_job_def("refresh").execute_in_process(
            instance=instance, tags=tags, raise_on_error=False, run_config=QUIET
        )

    def failed_now(
        self,
        instance: dg.DagsterInstance,
        now: datetime = NOON,
        connections: Collection[str] = ("acme", "bolt"),
        gateway: Gateway | None = None,
    ) -> list[Any]:
        graph = self.defs().resolve_asset_graph()
        settings = Settings(
            home="nowhere",
            config_file=Path("openai_costs.toml"),
            connections=tuple(map(connection, connections)),
            gateway=gateway or Gateway(),
        )
        found = DagsterHistory(instance, graph, ["refresh"], settings).candidates(
            now, "team:finops"
        )
        assert Finding.broken_rules(found) == []
        return found.to_dicts()


def connection(name: str) -> Connection:
    kind = AnthropicConnection if name.startswith("claude") else OpenAIConnection
    return kind(name=name)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with calm(), dg.DagsterInstance.ephemeral() as one:
        yield one


def test_a_history_without_runs_has_no_failure(instance: dg.DagsterInstance) -> None:
    assert Plant().failed_now(instance) == []


def test_a_failed_day_belongs_to_the_owner_of_the_asset(instance: dg.DagsterInstance) -> None:
    plant = Plant({"2026-11-02", "2026-11-03"})
    plant.run(instance, "2026-11-01", "2026-11-04")
    (one,) = plant.failed_now(instance)
    assert (one["rule"], one["subject_id"]) == ("data.check_failed", "core/spend:ties_out")
    assert (one["owner"], one["severity"], one["observed"]) == ("team:ledger", "critical", 2)
    assert "failed for 2026-11-03, 2026-11-02: sums differ by 3.20 USD" in one["because"]
    assert one["table_name"] == "core.spend"


def test_a_day_that_passes_again_is_not_reported_although_other_days_ran_since(
    instance: dg.DagsterInstance,
) -> None:
    plant = Plant({"2026-11-02"})
    plant.run(instance, "2026-11-01", "2026-11-02")
    plant.run(instance, "2026-11-03", "2026-11-04")
    assert [one["observed"] for one in plant.failed_now(instance)] == [1]
    plant.failing.clear()
    plant.run(instance, "2026-11-02", "2026-11-02")
    assert plant.failed_now(instance) == []


def test_a_check_without_days_counts_by_its_newest_verdict(instance: dg.DagsterInstance) -> None:
    plant = Plant({"all"}, severity=dg.AssetCheckSeverity.WARN)
    plant.run(instance, "2026-11-01", "2026-11-01")
    (one,) = plant.failed_now(instance)
    assert (one["subject_id"], one["severity"]) == ("core/spend:contiguous", "warning")
    plant.failing.clear()
    plant.run(instance, "2026-11-01", "2026-11-01")
    assert plant.failed_now(instance) == []


def test_the_newest_run_of_a_job_counts(instance: dg.DagsterInstance) -> None:
    plant = Plant(breaks="The key of ada@acme.example, sk-admin-abcdef123, was refused.")
    plant.run(instance, "2026-11-01", "2026-11-01")
    (one,) = plant.failed_now(instance)
    assert (one["rule"], one["subject_id"]) == ("data.run_failed", "refresh")
    assert one["owner"] == "team:finops"
    assert "The key of [e-mail address], sk-[redacted], was refused." in one["because"]
    plant.breaks = ""
    plant.run(instance, "2026-11-01", "2026-11-01")
    assert plant.failed_now(instance) == []


def test_a_run_that_failed_by_accident_reports_the_innermost_error(
    instance: dg.DagsterInstance,
) -> None:
    plant = Plant(breaks="by accident")
    plant.run(instance, "2026-11-01", "2026-11-01")
    assert "ValueError: a column is gone" in plant.failed_now(instance)[0]["because"]


def test_a_run_that_failed_long_ago_is_history(instance: dg.DagsterInstance) -> None:
    plant = Plant(breaks="no")
    plant.run(instance, "2026-11-01", "2026-11-01")
    assert plant.failed_now(instance, datetime.now(UTC) + timedelta(days=31)) == []


def test_a_failed_day_of_a_backfill_of_old_days_is_not_reported(
    instance: dg.DagsterInstance,
) -> None:
    plant = Plant({"2026-11-02"})
    plant.run(instance, "2026-11-01", "2026-11-04")
    assert plant.failed_now(instance, NOON + timedelta(days=31)) == []
    assert len(plant.failed_now(instance, NOON + timedelta(days=10))) == 1


def test_a_failure_of_one_connection_stands_whatever_another_does(
    instance: dg.DagsterInstance,
) -> None:
    """A green run of one connection ended the alarm about another."""
    Plant(asks=("bolt",), refused=("bolt",), reason="bolt: 401").run(instance, *FIRST_TWO)
    Plant(asks=("acme",)).run(instance, *FIRST_TWO)
    daily, whole = sorted(Plant().failed_now(instance), key=lambda one: one["unit"], reverse=True)
    assert (daily["connection"], daily["observed"], daily["unit"]) == ("bolt", 2, "days")
    assert daily["because"] == "The check failed for 2026-11-02, 2026-11-01: bolt: 401"
    assert (whole["subject_id"], whole["connection"]) == ("core/spend:contiguous", "bolt")
    Plant(asks=("bolt", "acme")).run(instance, *FIRST_TWO)
    assert Plant().failed_now(instance) == []


def test_a_failure_of_a_connection_that_left_the_settings_is_not_reported(
    instance: dg.DagsterInstance,
) -> None:
    Plant(asks=("bolt",), refused=("bolt",)).run(instance, *FIRST_TWO)
    assert len(Plant().failed_now(instance)) == 2
    assert Plant().failed_now(instance, connections=("acme",)) == []


def test_each_connection_that_failed_is_a_finding_with_its_own_reason(
    instance: dg.DagsterInstance,
) -> None:
    Plant(asks=("acme", "bolt"), refused=("acme", "bolt")).run(instance, *FIRST_TWO)
    Plant(asks=("acme",)).run(instance, "2026-11-02", "2026-11-02")
    found = Plant().failed_now(instance)
    daily = {one["connection"]: one["observed"] for one in found if one["unit"] == "days"}
    assert daily == {"acme": 1, "bolt": 2}


def test_a_run_that_gives_no_verdict_ends_no_alarm(instance: dg.DagsterInstance) -> None:
    Plant({"2026-11-01"}).run(instance, *FIRST_TWO)
    Plant(asks=NONE).run(instance, *FIRST_TWO)
    assert [one["observed"] for one in Plant().failed_now(instance)] == [1]


def test_a_verdict_about_all_ends_a_failure_of_one(instance: dg.DagsterInstance) -> None:
    Plant(asks=("bolt",), refused=("bolt",)).run(instance, *FIRST_TWO)
    Plant().run(instance, *FIRST_TWO)
    assert Plant().failed_now(instance) == []


def test_a_run_of_one_connection_that_failed_stands_until_that_one_is_read(
    instance: dg.DagsterInstance,
) -> None:
    """A green run of one connection ended the alarm about the run of another."""
    Plant(asks=("bolt",), breaks="the key was refused").run(instance, *FIRST_TWO)
    Plant(asks=("acme",)).run(instance, *FIRST_TWO)
    (one,) = Plant().failed_now(instance)
    assert (one["rule"], one["connection"]) == ("data.run_failed", "bolt")
    assert Plant().failed_now(instance, connections=("acme",)) == []
    Plant(asks=("bolt",)).run(instance, *FIRST_TWO)
    assert Plant().failed_now(instance) == []


def test_a_run_of_all_that_failed_stands_until_every_connection_is_read(
    instance: dg.DagsterInstance,
) -> None:
    Plant(breaks="the disk is full").run(instance, *FIRST_TWO)
    Plant(asks=("acme",)).run(instance, *FIRST_TWO)
    assert [one["connection"] for one in Plant().failed_now(instance)] == ["*"]
    Plant(asks=("bolt",)).run(instance, *FIRST_TWO)
    assert Plant().failed_now(instance) == []


def test_runs_that_failed_are_looked_for_as_far_back_as_a_connection_needs(
    instance: dg.DagsterInstance,
) -> None:
    Plant(asks=("bolt",), breaks="the key was refused").run(instance, *FIRST_TWO)
    for _ in range(5):
        Plant(asks=("acme",)).run(instance, "2026-11-01", "2026-11-01")
    assert [one["connection"] for one in Plant().failed_now(instance)] == ["bolt"]


def test_a_failure_that_names_no_connection_ends_when_all_of_its_provider_are_read(
    instance: dg.DagsterInstance,
) -> None:
    """It stood for 30 days after an upgrade: no verdict on these pages names another provider's."""
    names = ("acme", "claude", "claude-eu")
    Plant({*FIRST_TWO, "all"}, key=CLAUDE_PAGES).run(instance, *FIRST_TWO)
    Plant(asks=("claude",), key=CLAUDE_PAGES).run(instance, *FIRST_TWO)
    found = Plant(key=CLAUDE_PAGES).failed_now(instance, connections=names)
    assert sorted((one["connection"], one["unit"]) for one in found) == [
        ("*", "checks"),
        ("*", "days"),
    ]
    Plant(asks=("claude-eu",), key=CLAUDE_PAGES).run(instance, *FIRST_TWO)
    assert Plant(key=CLAUDE_PAGES).failed_now(instance, connections=names) == []


def test_a_failure_of_pages_of_which_there_is_no_connection_any_more_is_not_reported(
    instance: dg.DagsterInstance,
) -> None:
    Plant({*FIRST_TWO}, key=CLAUDE_PAGES).run(instance, *FIRST_TWO)
    assert len(Plant(key=CLAUDE_PAGES).failed_now(instance, connections=("claude",))) == 1
    assert Plant(key=CLAUDE_PAGES).failed_now(instance, connections=("acme",)) == []


def test_a_failure_of_the_meter_is_about_the_gateway_alone(instance: dg.DagsterInstance) -> None:
    gateway = Gateway(spend_files=("meter.csv",))
    Plant({*FIRST_TWO}, key=METER_PAGES).run(instance, *FIRST_TWO)
    assert len(Plant(key=METER_PAGES).failed_now(instance, gateway=gateway)) == 1
    Plant(asks=(gateway.name,), key=METER_PAGES).run(instance, *FIRST_TWO)
    assert Plant(key=METER_PAGES).failed_now(instance, gateway=gateway) == []


def test_a_run_that_failed_waits_for_no_run_of_a_gateway(instance: dg.DagsterInstance) -> None:
    """No run asks a gateway alone: in a home with one the alarm stood for 30 days."""
    gateway = Gateway(spend_files=("meter.csv",))
    Plant(breaks="the disk is full").run(instance, *FIRST_TWO)
    Plant(asks=("acme",)).run(instance, *FIRST_TWO)
    assert len(Plant().failed_now(instance, gateway=gateway)) == 1
    Plant(asks=("bolt",)).run(instance, *FIRST_TWO)
    assert Plant().failed_now(instance, gateway=gateway) == []


def test_a_connection_that_is_new_raises_no_run_again_that_a_run_of_all_ended(
    instance: dg.DagsterInstance,
) -> None:
    Plant(breaks="the disk is full").run(instance, *FIRST_TWO)
    Plant().run(instance, *FIRST_TWO)
    assert Plant().failed_now(instance, connections=("acme", "bolt", "coral")) == []
