from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import openai_costs

PACKAGE: Final = Path(openai_costs.__file__).parent
ASK: Final = "SELECT current_setting('enable_progress_bar')"
WITHOUT_A_MAIN_FILE: Final = f"""
import duckdb
from openai_costs.storage.sql import connected
print(duckdb.connect().execute({ASK!r}).fetchall())
with connected() as sql:
    print(sql.execute({ASK!r}).fetchall())
"""


def test_no_connection_draws_a_progress_bar_even_where_duckdb_would() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", WITHOUT_A_MAIN_FILE],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=PACKAGE.parent,
    )
    assert done.stdout.splitlines() == ["[(True,)]", "[(False,)]"]


def test_every_connection_of_the_package_is_a_quiet_one() -> None:
    opening = ("duckdb.connect(", ".get_connection(")
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    opens = {path for path, text in texts.items() if any(one in text for one in opening)}
    loud = {path.relative_to(PACKAGE) for path in opens if "QUIET" not in texts[path]}
    assert loud == {Path("tables/__main__.py")}  # writes docs/tables.md; no run uses it
    assert len(opens) > len(loud)
