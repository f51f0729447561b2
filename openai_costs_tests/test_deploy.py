"""What stands in deploy/ fits the code: pools, variables, versions and folders."""

from __future__ import annotations

import runpy
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import yaml
from dagster import DagsterEventType as Event
from dagster._core.events import AssetMaterializationPlannedData
from dagster._core.instance.config import dagster_instance_config

import openai_costs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(openai_costs.__file__).parents[1]
DEPLOY = ROOT / "deploy"


def read(name: str) -> Any:  # noqa: ANN401 - as YAML has it
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def variables(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["env"]] if set(value) == {"env"} else ()
        for inner in value.values():
            yield from variables(inner)


def test_every_pool_of_the_assets_is_seeded_and_a_limit_that_was_changed_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = runpy.run_path(str(DEPLOY / "seed_pools.py"))["seed"]
    with dg.DagsterInstance.ephemeral() as instance:
        instance.event_log_storage.set_concurrency_slots("openai_api", 4)
        seed(instance)
        limits = {one.name: one.limit for one in instance.event_log_storage.get_pool_limits()}
    assert limits.pop("openai_api") == 4
    assert {"anthropic_api", "anthropic_directory", "gateway", "publish"} <= set(limits)
    assert set(limits.values()) == {1}
    assert "openai_api: as it was" in capsys.readouterr().out


def test_the_shared_instance_can_be_loaded_and_compose_sets_every_variable_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_celery", reason="needs pip install openai_costs[scale]")
    config = read("dagster.yaml")
    ours = read("compose.yaml")["x-dagster"]["environment"]
    assert set(variables(config)) <= set(ours)
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "dagster.yaml").write_bytes((DEPLOY / "dagster.yaml").read_bytes())
    checked, _ = dagster_instance_config(str(tmp_path))
    assert checked["run_launcher"]["class"] == "CeleryRunLauncher"
    assert ours["DAGSTER_POSTGRES_URL"].startswith("postgresql+psycopg2://")


def test_the_proof_kills_a_worker_while_a_table_is_made_and_not_when_that_is_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (DEPLOY / "prove_two_hosts.sh").read_text(encoding="utf-8")
    question = script.partition("until grep")[2].partition("<<'PY'\n")[2].partition("\nPY\n")[0]
    (tmp_path / "question.py").write_text(question, encoding="utf-8")
    planned = AssetMaterializationPlannedData(dg.AssetKey(["core", "spend"]))
    events = {Event.ASSET_MATERIALIZATION_PLANNED: planned, Event.STEP_START: None}
    answers = []
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(dg.DagsterInstance, "get", lambda: nullcontext(instance))
        run = instance.add_run(dg.DagsterRun("refresh"))
        for kind, of_it in events.items():
            event = dg.DagsterEvent(
                kind.value, "refresh", step_key="core__spend", event_specific_data=of_it
            )
            instance.report_dagster_event(event, run.run_id)
            runpy.run_path(str(tmp_path / "question.py"))
            answers.append(capsys.readouterr().out)
    assert answers == ["", "begun"]


def test_the_values_of_the_chart_say_the_same_as_the_shared_instance() -> None:
    chart, ours = read("helm-values.yaml"), read("dagster.yaml")
    pools, monitoring = ours["concurrency"]["pools"], ours["run_monitoring"]
    assert chart["concurrency"]["pools"]["granularity"] == pools["granularity"]
    assert chart["concurrency"]["pools"]["defaultLimit"] == pools["default_limit"]
    runs = chart["concurrency"]["runs"]["maxConcurrentRuns"]
    assert runs == ours["concurrency"]["runs"]["max_concurrent_runs"]
    of_chart = chart["dagsterDaemon"]["runMonitoring"]
    assert {snake(name): value for name, value in of_chart.items()} == monitoring


def test_every_pod_of_the_chart_is_the_user_of_the_image_and_can_write_to_its_scratch_alone() -> (
    None
):
    chart = read("helm-values.yaml")
    (code,) = chart["dagster-user-deployments"]["deployments"]
    for pod in (chart["dagsterWebserver"], chart["dagsterDaemon"], code):
        assert {"name": "scratch", "mountPath": "/tmp"} in pod["volumeMounts"]  # noqa: S108
        assert {"name": "scratch", "emptyDir": {}} in pod["volumes"]
    run = chart["runLauncher"]["config"]["k8sRunLauncher"]  # its volumes are those of the code
    run["podSecurityContext"] = run["runK8sConfig"]["podSpecConfig"]["securityContext"]
    assert "resources" not in code  # they would win over those of a run
    for pod in (chart["dagsterWebserver"], chart["dagsterDaemon"], code, run):
        assert str(pod["podSecurityContext"]["runAsUser"]) == instructions("USER")[-1]
        assert pod["podSecurityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_key_of_forgotten_people_has_a_place_beside_the_settings_in_both_deployments() -> None:
    shared = read("compose.yaml")["x-dagster"]
    settings = Path(shared["environment"]["OPENAI_COSTS_CONFIG"])
    assert shared["volumes"] == [f"./settings:{settings.parent}:ro"]
    (code,) = read("helm-values.yaml")["dagster-user-deployments"]["deployments"]
    (mount,) = [one for one in code["volumeMounts"] if one["name"] == "settings"]
    assert (mount["mountPath"], mount["readOnly"]) == (str(settings.parent), True)
    (volume,) = [one for one in code["volumes"] if one["name"] == "settings"]
    assert volume["projected"]["sources"] == [
        {"configMap": {"name": "costs-settings"}},
        {"secret": {"name": "costs-forget-key", "optional": True}},
    ]


def test_the_web_server_of_the_chart_answers_its_probe_on_a_port_that_needs_no_root() -> None:
    server = read("helm-values.yaml")["dagsterWebserver"]
    assert server["service"]["port"] == server["readinessProbe"]["httpGet"]["port"] >= 1024


def test_the_build_is_sent_what_the_image_holds_and_nothing_else() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    copied = {
        one
        for line in instructions("COPY")
        for one in line.split()[:-1]
        if not one.startswith("--")
    }
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied


def instructions(name: str) -> list[str]:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def snake(name: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name)
