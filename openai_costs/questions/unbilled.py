"""Connections that were read and billed nothing: perhaps of another organization. Pure."""

from datetime import date

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted, listed
from openai_costs.questions.coverage import of_costs

MOST_PROJECTS = 5


def unbilled(frame: pl.DataFrame, projects: pl.DataFrame) -> dict[str, str]:
    """Return what to say of connections that were read and billed nothing on any day.

    A key of another organization reads just this: every day is complete, and every day is $0.00. A
    connection with rows is the right one: they are free, metered or estimated.

    Args:
        frame: mart.coverage.
        projects: core.projects.

    Returns:
        A sentence by connection, for those with a settled day.
    """
    read = of_costs(frame).filter(pl.col("state") != "missing").sort("day")
    found: dict[str, str] = {}
    for (name,), days in read.group_by("connection", maintain_order=True):
        settled = days.filter(state="settled")["day"].to_list()
        is_silent = (
            not days["rows"].sum() and (days["billed_usd"] == 0).fill_null(value=False).all()
        )
        if settled and is_silent:
            theirs = projects.filter(connection=name)["name"].drop_nulls().sort().to_list()
            found[str(name)] = _unbilled(str(name), settled, theirs)
    return found


def _unbilled(name: str, settled: list[date], projects: list[str]) -> str:
    days = f"{counted(len(settled), 'settled day')} read ({DayRange(settled[0], settled[-1])})"
    owns = listed(projects, MOST_PROJECTS, "project") if projects else "none are known"
    return (
        f"$0.00 was billed to connection {name} on all {days}. Projects of its organization: "
        f"{owns}. Is this the right organization? An admin key reads only its own."
    )
