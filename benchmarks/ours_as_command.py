"""This project as a person runs it: the command `backfill`, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from ours import NAME, days_of, stored_total
from ours_in_dagster import rows_of
from work import FIRST_DAY, Outcome, Task

COMMAND = Path(sys.executable).with_name("openai-costs")


def backfill(task: Task) -> Outcome:
    """Run `openai-costs backfill` over the days, with all tables, the database and the page."""
    days, settings = days_of(task), task.home / "openai_costs.toml"
    settings.write_text(
        f"""[[connections]]
name = "{NAME}"
start = {FIRST_DAY}
base_url = "{task.base_url}"
access = "costs_only"
""",
        encoding="utf-8",
    )
    where = {"OPENAI_COSTS_HOME": str(task.home), "OPENAI_COSTS_CONFIG": str(settings)}
    given = os.environ | {"OPENAI_ADMIN_KEY": "sk-admin-benchmark"} | where
    given.pop("DAGSTER_HOME", None)
    asked = ["backfill", "--from", str(days.first), "--to", str(days.last)]
    done = subprocess.run([COMMAND, *asked], env=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The command failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return Outcome(rows_of(task.home), lambda: stored_total(task.home))
