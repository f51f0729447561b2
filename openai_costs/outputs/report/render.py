"""The cost explorer as one HTML file that needs nothing else. Pure apart from its own templates.

The policy in its head forbids every connection and every script but its own, named by digest.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from openai_costs.kernel.formatting import dollars_of, signed_dollars_of
from openai_costs.outputs.report.coverage_calendar import strip
from openai_costs.outputs.report.page_data import island
from openai_costs.outputs.report.panels import WIDTH
from openai_costs.outputs.report.rankings import cell_rows

if TYPE_CHECKING:
    from openai_costs.outputs.report.page_model import ReportFacts

_FOLDER: Final = "openai_costs.outputs.report"
# One script in this order: each file may use what those before it say.
_SCRIPTS: Final = ("data", "tables", "scales", "chart", "legend", "controls")


def render(facts: ReportFacts) -> str:
    """Return the page; the same facts give the same bytes."""
    style, script = _text("explorer.css"), _script()
    return (
        _templates()
        .get_template("explorer.html.j2")
        .render(
            facts=facts,
            view=facts.views[0],
            policy=_policy(style, script),
            bar_width=WIDTH,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            island=Markup(island(facts)),  # noqa: S704 - escaped by island()
            strips=[
                strip(i, name, facts.days, states)
                for i, (name, states) in enumerate(
                    zip(facts.connections, facts.states, strict=False)
                )
            ],
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
    environment.globals["cell_rows"] = cell_rows
    return environment


@cache
def _text(name: str) -> str:
    return files(_FOLDER).joinpath(name).read_text(encoding="utf-8")
