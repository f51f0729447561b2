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

from openai_costs.kernel.formatting import dollars, signed_dollars
from openai_costs.outputs.report.words import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_costs.outputs.report.page_model import PageModel

_FOLDER: Final = "openai_costs.outputs.report"
# One script in this order: each file may use what those before it define.
_SCRIPTS: Final = (
    *("money", "days", "data", "address", "query", "units", "colors"),
    *("svg", "axes", "bars", "lines", "treemap", "heatmap", "marks", "card", "chart"),
    *("table", "rows", "csv", "search", "filters", "controls", "page"),
)
_STYLES: Final = ("page", "first_screen", "explorer", "sections", "narrow", "print")
_SPARK: Final = (72, 20)
"""The box of a sparkline, as in template/first_screen.html.j2."""


def render(page: PageModel) -> str:
    """Return the page as HTML; the same page model gives the same bytes."""
    style, script = _style(), _script()
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            page=page,
            first=page.first,
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            embedded_data=Markup(embedded_data(page.data)),  # noqa: S704 - escaped by embedded_data()
        )
    )


def embedded_data(data: dict[str, Any] | None) -> str:
    """Return the JSON text; `<`, `>` and `&` only ever as escapes."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
    for sign, escape in escapes.items():
        text = text.replace(sign, escape)
    return text


def spark_path(values: Sequence[float]) -> str:
    """Return the path of a sparkline in a box of 72 x 20, from 0 to its own largest value."""
    width, height = _SPARK
    most = max([*values, 0.01])
    step = width / max(1, len(values) - 1)
    points = (
        f"{i * step:.1f} {height - 1 - max(0.0, value) / most * (height - 2):.1f}"
        for i, value in enumerate(values)
    )
    return "M" + "L".join(points)


def _policy(style: str, script: str) -> str:
    """Nothing may be fetched, sent or framed; only this style and this script may run."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _style() -> str:
    return "".join(_text(f"style/{name}.css") for name in _STYLES)


def _script() -> str:
    """The script's files as one function, so that nothing of it is global."""
    body = "".join(_text(f"script/{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}}})();\n'


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _text(f"template/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        dollars=dollars, signed=signed_dollars, spark=spark_path, explained=explained
    )
    return environment


@cache
def _text(name: str) -> str:
    return files(_FOLDER).joinpath(name).read_text(encoding="utf-8")
