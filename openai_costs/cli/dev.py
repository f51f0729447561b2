"""Starts the Dagster UI with its daemon on this code location, with its state below the home."""

import subprocess
import sys
from pathlib import Path

from openai_costs.kernel.errors import SettingsError
from openai_costs.sample.setup import CONFIG
from openai_costs.settings.load import environment_with, load_settings
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.files import is_local, place

STATE = "dagster"
INSTANCE = """\
# Written by `openai-costs dev`. Yours to change: it is not written again.
concurrency:
  pools:
    granularity: op
    default_limit: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  max_runtime_seconds: 14400
telemetry:
  enabled: false
nux:
  enabled: false
"""


def start(demo_home: Path | None) -> int:
    """Run `dagster dev` until it is stopped; return its exit code.

    Args:
        demo_home: The demo's folder; None for the home of the settings.

    Raises:
        SettingsError: There is no demo in that folder, or the home is not on this machine.
    """
    variables = _demo_variables(demo_home) if demo_home else {}
    home = place(str(demo_home) if demo_home else load_settings(connection_kinds()).home)
    if not is_local(home):
        raise SettingsError(f"{home} is not on this machine: set DAGSTER_HOME, run `dagster dev`.")
    state = Path(str(home)) / STATE
    state.mkdir(parents=True, exist_ok=True)
    instance = state / "dagster.yaml"
    if not instance.exists():
        instance.write_text(INSTANCE, encoding="utf-8")
    command = [sys.executable, "-m", "dagster", "dev", "-m", "openai_costs.definitions"]
    environment = environment_with(
        **variables, DAGSTER_HOME=str(state), OPENAI_COSTS_HOME=str(home)
    )
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own words


def _demo_variables(home: Path) -> dict[str, str]:
    config = home.absolute() / CONFIG
    if not config.exists():
        raise SettingsError(f"There is no demo in {home}: run `openai-costs demo` first.")
    return {"OPENAI_COSTS_CONFIG": str(config)}
