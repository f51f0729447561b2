"""The view to open first: which view answers which question."""

from collections.abc import Sequence
from typing import Final

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.bi.view import View

_ANSWERS: Final = "Which view answers my question?"


def start_here(views: Sequence[View]) -> View:
    """Return the view that lists the others in the order to read them in.

    Args:
        views: The others, in that order.
    """
    texts = (map(literal, (one.answers, f"bi.{one.name}", one.about)) for one in views)
    rows = (f"(CAST({place} AS BIGINT), {', '.join(row)})" for place, row in enumerate(texts, 1))
    return View(
        name="start_here",
        about="Which view answers which question. One row per view, in reading order.",
        sql=f"SELECT * FROM (VALUES {', '.join(rows)}) AS v(place, question, view_name, about)",  # noqa: S608 - our own words
        columns={
            "place": "The reading order. [place]",
            "question": "What a person asks.",
            "view_name": "The view that answers it, as schema.view.",
            "about": "What the view holds, and what one row is.",
        },
        answers=_ANSWERS,
    )
