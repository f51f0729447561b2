from pathlib import Path

import duckdb

import openai_costs
from openai_costs.outputs.publish.bi.question_scope import QUESTION_SCOPE, scope_rows
from openai_costs.sources.registry import invoicers

PAPER = Path(openai_costs.__file__).parent.parent / "docs" / "attribution.md"


def test_each_question_is_about_a_bill_or_says_in_a_sentence_why_not():
    with duckdb.connect() as sql:
        found = sql.execute(QUESTION_SCOPE.sql).fetchall()
    assert len(found) == len({row[:2] for row in found}) == len([*scope_rows()])
    silent = [row for row in found if row[4] is None]
    assert {row[3] for row in silent} == {"yes"}
    assert all(row[4][0].isupper() and row[4].endswith(".") for row in found if row[4])
    assert ("gateway_bypass", "google", "Google Cloud", "no") in [row[:4] for row in found]


def test_the_docs_repeat_whom_each_bill_names():
    text = PAPER.read_text(encoding="utf-8")
    assert all(f"| `{host}` | {who.attribution} |" in text for host, who in invoicers().items())
