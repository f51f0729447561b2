"""A view of the bill per choice of the connection filter: all of them, and each one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import dollars_of
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.page_days import combined, span, windows
from openai_costs.outputs.report.page_model import Period, View
from openai_costs.outputs.report.rankings import CUTS, ranked, ranking
from openai_costs.outputs.report.scope import Scope
from openai_costs.outputs.report.sentences import completeness, headlines, questions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from openai_costs.outputs.report.page_days import Calendar, Window
    from openai_costs.outputs.report.page_model import Restated
    from openai_costs.outputs.report.rankings import Ranked

_MOST_NAMED: Final = 3


class RankedWindow(NamedTuple):
    """A window of one view and its tables in exact dollars, by dimension."""

    window: Window
    by_dimension: Mapping[str, Ranked]


def scopes(
    days: Calendar,
    spend: pl.DataFrame,
    by_user: pl.DataFrame,
    restated: Sequence[Restated],
    today: date,
) -> list[Scope]:
    """Return the scope of every view: all connections first, then each when there are several."""
    every = list(range(len(days.connections)))
    choices = [every, *([i] for i in every)] if len(every) > 1 else [every]
    return [_scope(chosen, days, spend, by_user, restated, today) for chosen in choices]


def ranked_windows(scope: Scope, cells: pl.DataFrame, top: int) -> list[RankedWindow]:
    """Return the view's windows and who spent how much in them.

    Args:
        scope: The view.
        cells: dimension, connection, day, member, billed_usd.
        top: How many members a table lists.
    """
    seen = cells.filter(pl.col("connection").is_in(scope.names))
    return [
        RankedWindow(window, {cut.id: ranked(seen, window, cut.id, top) for cut in CUTS})
        for window in (windows(scope.days, scope.states) if scope.read else ())
    ]


def view(
    scope: Scope, found: Sequence[RankedWindow], listed: Mapping[str, Mapping[str, int]]
) -> View:
    """Return what the page says of this scope.

    Args:
        scope: The connections in view.
        found: Its windows.
        listed: Position of every listed member, by dimension.
    """
    return View(
        name=scope.name,
        connections=scope.connections,
        total=f"{dollars_of(scope.billed())} USD" if scope.read else "No number yet",
        scope=f"{span(scope.expected)}, {scope.name}" if scope.days else scope.name,
        completeness=completeness(scope) if scope.days else "No day has been read yet.",
        states=scope.states,
        headlines=headlines(scope),
        questions=tuple(questions(scope)),
        periods=tuple(_period(scope, each, listed) for each in found),
    )


def _scope(  # noqa: PLR0913, PLR0917 - the tables of the page, cut once
    chosen: Sequence[int],
    days: Calendar,
    spend: pl.DataFrame,
    by_user: pl.DataFrame,
    restated: Sequence[Restated],
    today: date,
) -> Scope:
    names = tuple(days.connections[i] for i in chosen)
    letters = tuple(days.states[i] for i in chosen) if days.days else ()
    in_view = pl.col("connection").is_in(names)
    return Scope(
        name=_name(names),
        connections=tuple(chosen),
        names=names,
        days=days.days,
        states=combined(letters),
        by_connection=letters,
        spend=spend.filter(in_view),
        by_user=by_user.filter(in_view),
        restated=tuple(each for each in restated if each.connection in chosen),
        today=today,
    )


def _name(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"connection {without_domains(names[0])}"
    if len(names) > _MOST_NAMED:
        return f"all {len(names)} connections"
    return f"connections {', '.join(map(without_domains, names))}" if names else "no connection"


def _period(scope: Scope, found: RankedWindow, listed: Mapping[str, Mapping[str, int]]) -> Period:
    window = found.window
    place = {day: i for i, day in enumerate(scope.days)}
    return Period(
        id=window.id,
        title=f"{window.title}, {scope.name}",
        compared=window.compared,
        first=place[window.days[0]],
        last=place[window.days[-1]],
        rankings=tuple(
            ranking(found.by_dimension[cut.id], listed[cut.id], is_compared=bool(window.before))
            for cut in CUTS
        ),
    )
