"""The cost explorer as one HTML file that needs nothing else. Pure apart from its own templates.

The policy in its head forbids every connection and every script but its own, named by digest. What
the script reads is embedded as JSON that no name can break out of.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from openai_costs.kernel.formatting import dollars_of, signed_dollars_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_costs.outputs.report.page_model import PageModel, Period, View
    from openai_costs.outputs.report.rankings import Series

_FOLDER: Final = "openai_costs.outputs.report"
# One script in this order: each file may use what those before it define.
_SCRIPTS: Final = ("data", "tables", "scales", "chart", "legend", "controls")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def render(page: PageModel) -> str:
    """Return the page as HTML; the same page model gives the same bytes."""
    style, script = _text("explorer.css"), _script()
    return (
        _templates()
        .get_template("explorer.html.j2")
        .render(
            page=page,
            view=page.views[0],
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            embedded_data=Markup(embedded_data(page)),  # noqa: S704 - escaped by embedded_data()
        )
    )


def _policy(style: str, script: str) -> str:
    """Nothing may be fetched, sent or framed; only this style and this script may run."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _script() -> str:
    """The script's files as one function, so that nothing of it is global."""
    body = "".join(_text(f"script/{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}}})();\n'


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(dollars=dollars_of, signed=signed_dollars_of)
    return environment


@cache
def _text(name: str) -> str:
    return files(_FOLDER).joinpath(name).read_text(encoding="utf-8")


# The embedded data. Daily cents are in base 36 with zeros left out, which halves the file.


def embedded_data(page: PageModel) -> str:
    """Return the JSON text; `<`, `>` and `&` only ever as escapes."""
    text = json.dumps(_data(page), ensure_ascii=True, separators=(",", ":"))
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
    for sign, escape in escapes.items():
        text = text.replace(sign, escape)
    return text


def base36(values: Iterable[int]) -> str:
    """Return comma-separated base-36 numbers, nothing for zero, no commas at the end."""
    return ",".join(_base36(value) for value in values).rstrip(",")


def _base36(value: int) -> str:
    text, left = "", abs(value)
    while left:
        left, digit = divmod(left, 36)
        text = _DIGITS[digit] + text
    return f"-{text}" if value < 0 else text


def _data(page: PageModel) -> dict[str, Any]:
    return {
        "first": str(page.days[0]) if page.days else None,
        "days": len(page.days),
        "dimensions": page.dimensions,
        "series": [[_series(each) for each in connection] for connection in page.series],
        "views": [_view(each) for each in page.views],
    }


def _series(series: Series) -> dict[str, Any]:
    members = {str(member): base36(values) for member, values in series.members.items()}
    return {"total": base36(series.total), "members": members}


def _view(view: View) -> dict[str, Any]:
    return {
        "connections": view.connections,
        "texts": {
            name: getattr(view, name) for name in ("total", "scope", "completeness", "notice")
        },
        "states": view.states,
        "headlines": view.headlines,
        "questions": view.questions,
        "periods": [_period(each) for each in view.periods],
    }


def _period(period: Period) -> dict[str, Any]:
    return period._asdict() | {
        "rankings": [
            [[row.member, *row.cells] for row in (*ranking.rows, ranking.total)]
            for ranking in period.rankings
        ],
    }
