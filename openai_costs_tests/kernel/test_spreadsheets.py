from __future__ import annotations

from importlib import resources

import duckdb
import pytest

from openai_costs.kernel.spreadsheets import BEGINS_FORMULA, NUMBER, cell_sql, cell_text

CELLS = {
    "=1+1": "'=1+1",
    "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r=1": "'\r=1",
    "\n=1": "'\n=1",
    "\uff1d1+1": "'\uff1d1+1",
    "-3.20": "-3.20",
    "-$1,234.50": "-$1,234.50",
    "+12.6 %": "+12.6 %",
    "-1.2-1": "'-1.2-1",
    "-": "'-",
    "ada=1": "ada=1",
    "": "",
}


@pytest.mark.parametrize(("text", "cell"), CELLS.items())
def test_a_formula_is_text_and_a_number_stays_a_number(text: str, cell: str) -> None:
    assert cell_text(text) == cell
    asked = f"SELECT {cell_sql('one')} FROM (SELECT ?::VARCHAR AS one)"  # noqa: S608 - our own
    with duckdb.connect() as sql:
        assert sql.execute(asked, [text]).fetchall() == [(cell,)]


def test_the_script_of_the_page_has_the_same_patterns() -> None:
    script = resources.files("openai_costs.outputs.report").joinpath("script/csv.js").read_text()
    wide = {ord(one): f"\\u{ord(one):x}" for one in "\uff1d\uff0b\uff0d\uff20"}
    for pattern in (BEGINS_FORMULA.translate(wide), NUMBER):
        assert f"/{pattern}/" in script
