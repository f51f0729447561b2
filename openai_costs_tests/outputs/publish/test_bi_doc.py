"""The queries of the docs, on a published file: a query that fails helps no reader."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import duckdb
import pytest
from upath import UPath

import openai_costs
from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs_tests.outputs.publish.test_bi_view import atlas_twice

BI: Final = Path(openai_costs.__file__).parents[1] / "docs" / "bi.md"
QUERIES: Final = re.findall(r"^```sql\n(.*?)^```", BI.read_text("utf-8"), re.MULTILINE | re.DOTALL)
ROOT: Final = BI.parents[1]
ELSEWHERE: Final = {
    f"{paper.relative_to(ROOT)} {number}": query
    for paper in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if paper != BI
    for number, query in enumerate(
        re.findall(r"^```sql\n(.*?)^```", paper.read_text("utf-8"), re.MULTILINE | re.DOTALL), 1
    )
    if re.search(r"\bFROM (core|mart|bi)\.", query)
}
"""The other queries of published tables, by paper; not those of other engines on the lake."""
OLDER: Final = os.environ.get("DUCKDB_1_1", "")
RUN: Final = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=True) as sql:
    for query in sys.stdin.read().split("\\0"):
        sql.execute(query).fetchall()
print(duckdb.__version__)
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    home = UPath(tmp_path_factory.mktemp("home"))
    atlas_twice(home)
    return str(home / DATABASE)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_has_one_worked_query(view: object) -> None:
    name = f"FROM bi.{vars(view)['name']}"
    assert [query for query in QUERIES if re.search(rf"{name}\b", query)], name


def test_each_worked_query_runs_on_a_published_file(published: str) -> None:
    with duckdb.connect(published, read_only=True) as sql:
        answers = [sql.execute(query).fetchall() for query in QUERIES]
    assert any("Atlas" in str(rows) for rows in answers)


@pytest.mark.parametrize("query", ELSEWHERE.values(), ids=ELSEWHERE)
def test_each_query_of_the_other_papers_runs_on_a_published_file(
    published: str, query: str
) -> None:
    with duckdb.connect(published, read_only=True) as sql:
        assert sql.execute(query).description
    assert len(ELSEWHERE) > 8


@pytest.mark.skipif(not OLDER, reason="DUCKDB_1_1 names no folder with DuckDB 1.1 (docs/bi.md)")
def test_each_worked_query_runs_on_duckdb_1_1(published: str) -> None:
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", RUN, published],
        input="\0".join(QUERIES),
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": OLDER},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1.1.")
