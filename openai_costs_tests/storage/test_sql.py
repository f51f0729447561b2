"""No connection is loud, and questions are asked of one database in memory that keeps nothing."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Final

import duckdb
import polars as pl
import pytest

import openai_costs
from openai_costs.storage.sql import asking, raise_if_of_system

PACKAGE: Final = Path(openai_costs.__file__).parent
ASK: Final = "SELECT current_setting('enable_progress_bar')"
WITHOUT_A_MAIN_FILE: Final = f"""
import duckdb
from openai_costs.storage.sql import asking, connected
print(duckdb.connect().execute({ASK!r}).fetchall())
with connected() as sql:
    print(sql.execute({ASK!r}).fetchall())
with asking() as sql:
    print(sql.execute({ASK!r}).fetchall())
"""
COUNTED: Final = "SELECT sum(number) FROM read_parquet('{}')"


def test_no_connection_draws_a_progress_bar_even_where_duckdb_would() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", WITHOUT_A_MAIN_FILE],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=PACKAGE.parent,
    )
    assert done.stdout.splitlines() == ["[(True,)]", "[(False,)]", "[(False,)]"]


def test_every_connection_of_the_package_is_a_quiet_one() -> None:
    opening = ("duckdb.connect(", ".get_connection(")
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    opens = {path for path, text in texts.items() if any(one in text for one in opening)}
    loud = {path.relative_to(PACKAGE) for path in opens if "QUIET" not in texts[path]}
    asks_nothing = Path("storage/encryption.py")  # loads an extension
    assert loud == {asks_nothing}
    assert len(opens) > len(loud)


def written(file: Path, numbers: list[int]) -> Path:
    pl.DataFrame({"number": numbers}).write_parquet(file)
    return file


def test_a_file_that_changed_is_read_anew(tmp_path: Path):
    file = written(tmp_path / "numbers.parquet", [1, 2])
    answers = []
    for numbers in ([1, 2], [5, 6]):
        written(file, numbers)
        with asking() as sql:
            answers.append(sql.execute(COUNTED.format(file)).fetchone())
    assert answers == [(3,), (11,)]


def test_no_answer_comes_from_memory():
    with asking() as sql:
        kept = sql.execute("SELECT current_setting('enable_external_file_cache')").fetchone()
    assert kept == (False,)


def test_threads_ask_side_by_side(tmp_path: Path):
    file = written(tmp_path / "numbers.parquet", [1, 2])
    answers: list[object] = []

    def ask() -> None:
        for _ in range(20):
            with asking() as sql:
                answers.append(sql.execute(COUNTED.format(file)).fetchone())

    threads = [Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == [(3,)] * 80


@pytest.mark.parametrize("question", ["SELECT 1/0 AS broken FROM nowhere", "not SQL"])
def test_a_question_that_fails_leaves_the_next_one_alone(question: str):
    with asking() as sql, pytest.raises(duckdb.Error):
        sql.execute(question)
    with asking() as sql:
        assert sql.execute("SELECT 1").fetchone() == (1,)


def test_a_limit_of_this_process_is_no_damage_of_a_file() -> None:
    raise_if_of_system(duckdb.IOException("IO Error: Cannot open file: No such file or directory"))
    with pytest.raises(OSError, match="Too many open files") as raised:
        raise_if_of_system(duckdb.IOException("IO Error: Cannot open file: Too many open files"))
    assert raised.value.errno == errno.EMFILE
