"""Starts the Dagster UI with its daemon on this code location, with its state below the home.

What it starts ends with it: Ctrl-C and SIGTERM stop Dagster's processes too.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from openai_costs.cli.home_settings import option_of
from openai_costs.cli.interrupted_runs import only_dagster_of, queue_again
from openai_costs.cli.streams import STOPPED
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.hosts import host_in_address
from openai_costs.orchestration.home_instance import HomeInstance
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.settings.load import environment_with, load_settings
from openai_costs.settings.settings_file import NAME as CONFIG
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.files import is_local, place
from openai_costs.storage.protection import refuse_unencrypted

STATE = "dagster"
HEAD = """\
# Written by `openai-costs dev`. Yours to change: it is not written again.
"""
FREES_SLOTS = "  free_slots_after_run_end_seconds: 30\n"
"""Without it a run that was killed holds its slots in the pools, and no other run ever reads."""

SETTINGS = f"""\
concurrency:
  pools:
    granularity: op
    default_limit: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 1800
  max_runtime_seconds: 14400
{FREES_SLOTS}telemetry:
  enabled: false
nux:
  enabled: false
"""
CLASS = f"""\
instance_class:
  module: {HomeInstance.__module__}
  class: {HomeInstance.__name__}
"""
ENDED = (
    "Dagster ended by itself: its web server or daemon ended, or did not start, as its last "
    "messages say. Start it again with `openai-costs dev`: runs that were interrupted begin again."
)
GRACE_SECONDS = 20
"""How long Dagster may take to end its own processes."""


class Address(NamedTuple):
    """Where the UI listens."""

    host: str = "127.0.0.1"
    port: int = 3000

    def __str__(self) -> str:
        return f"http://{host_in_address(self.host)}:{self.port}"


def start(
    home: str | None, *, is_demo: bool, address: Address, say: Callable[[str], None] = print
) -> int:
    """Run `dagster dev` until it is stopped; return 130 then, or 1 if it ended itself.

    Args:
        home: The home; None for that of the settings, or the demo's usual folder.
        is_demo: Whether to use the demo's settings.
        address: Where the UI listens.
        say: Takes a line for a person.

    Raises:
        NotEncrypted: The home has to rest encrypted, and does not.
        SettingsError: There is no demo in that folder, the home is not on this machine, or the port
            is in use.
    """
    variables = _demo_variables(Path(home or "demo")) if is_demo else {}
    folder = place(home or ("demo" if is_demo else load_settings(connection_kinds()).home))
    if not is_local(folder):
        raise SettingsError(
            f"{folder} is not on this machine: set DAGSTER_HOME, run `dagster dev`."
        )
    if not is_demo:
        refuse_unencrypted(folder, load_settings(connection_kinds(), str(folder)).storage)
    refuse_taken(address)
    state = Path(str(folder)) / STATE
    state.mkdir(parents=True, exist_ok=True)
    write_instance(state)
    command = [sys.executable, "-m", "dagster", "dev", "-m", "openai_costs.definitions"]
    command += ["--host", address.host, "--port", str(address.port)]
    environment = environment_with(
        **variables, DAGSTER_HOME=str(state), OPENAI_COSTS_HOME=str(folder)
    )
    say(f"Dagster UI: {address} (ready in a few seconds; Ctrl-C stops it)")
    say(f"Cost explorer: openai-costs serve{option_of(folder)}, or open {folder / PAGE}")
    with only_dagster_of(state) as is_only:
        if is_only:
            _begin_again(state, say)
        code = run_until_stopped(command, environment)
    if code == STOPPED:
        return code
    say(ENDED)
    return code or 1  # Dagster's own is 0 also where its daemon was killed


def write_instance(state: Path) -> None:
    """Write the settings of Dagster's instance, unless the owner of the home has changed them."""
    instance = state / "dagster.yaml"
    there = instance.read_text(encoding="utf-8") if instance.exists() else HEAD + SETTINGS
    if _of_the_first_version(there) == _of_the_first_version(HEAD + SETTINGS):
        instance.write_text(HEAD + CLASS + SETTINGS, encoding="utf-8")


def _of_the_first_version(settings: str) -> str:
    """Return settings without what later versions wrote."""
    return settings.replace(CLASS, "").replace(FREES_SLOTS, "")


def _begin_again(state: Path, say: Callable[[str], None]) -> None:
    """Queue interrupted runs again, if Dagster can open its history: it reports why it cannot."""
    try:
        opened = dg.DagsterInstance.from_config(str(state))
    except Exception:  # noqa: BLE001 - whatever its storage raises: a file, a schema, a setting
        return
    with opened as instance:
        queue_again(instance, say)


def run_until_stopped(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command, and end all processes that it started when this one is stopped.

    They are a session of their own, so that one signal reaches all of them.
    """
    # Handlers before the start: a child of a process that ignores Ctrl-C would ignore it too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603 - our own words
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(GRACE_SECONDS)
        return STOPPED
    finally:
        _end_session(process)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a command's processes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(1)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def refuse_taken(address: Address) -> None:
    """Refuse an address that another process listens on, or that this machine does not have."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as taken:
        raise refused(address, taken) from None


def refused(address: Address, taken: Exception) -> SettingsError:
    """Return what is wrong with an address: what the system says, or the encoding of names."""
    why = getattr(taken, "strerror", None) or taken
    return SettingsError(f"{address} cannot be used ({why}). Choose another with --port or --host.")


def _demo_variables(home: Path) -> dict[str, str]:
    config = home.absolute() / CONFIG
    if not config.exists():
        make = f"openai-costs demo{option_of(home)}"
        raise SettingsError(f"There is no demo in {home}: run `{make}` first.")
    return {"OPENAI_COSTS_CONFIG": str(config)}
