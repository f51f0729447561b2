"""The view of questions and bills: which question is about which bill, and how far."""

from collections.abc import Iterator
from typing import Final

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.bi.view import View
from openai_costs.questions.provider_scope import ANSWERED, HOW_FAR, why_not
from openai_costs.sources.registry import invoicers

ATTRIBUTION: Final = "attribution"
OF_EVERY_BILL: Final = ("anomalies", "budgets", "explorer")


def scope_rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield question, host, company, yes, partly or no, and the sentence; empty without one."""
    for host, who in sorted(invoicers().items()):
        yield ATTRIBUTION, host, who.name, "yes", who.attribution
        for question, answered in ANSWERED.items():
            far = HOW_FAR.get(question, {}).get(host, "")
            applies = "no" if host not in answered else "partly" if far else "yes"
            text = why_not(question, host) if applies == "no" else far
            yield question, host, who.name, applies, text
        for question in OF_EVERY_BILL:
            yield question, host, who.name, "yes", ""


def _values() -> str:
    rows = (", ".join(map(literal, row)) for row in sorted(scope_rows()))
    return ", ".join(f"({row})" for row in rows)


QUESTION_SCOPE: Final = View(
    name="question_scope",
    about="Which question is about which bill, and how far. One row per question and host, "
    "connected or not.",
    sql=f"""
        SELECT question, host, company, applies, nullif(because, '') AS because
        FROM (VALUES {_values()}) AS v(question, host, company, applies, because)
    """,  # noqa: S608 - our own words
    columns={
        "question": "The question: prices, attribution, optimization, ...",
        "host": "Who invoices, as in core.spend.",
        "company": "The company's name.",
        "applies": "yes, partly or no.",
        "because": "Why not, how far, or whom the bill names in its own words; null if there is "
        "nothing to add.",
    },
    answers="Does this question know my provider's bill, and if not, why?",
)
