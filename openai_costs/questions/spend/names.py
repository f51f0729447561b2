"""What ids are called, and whose keys they are, as the directory last listed them. Pure.

A thing that vanished keeps its last name. Not here: the directory itself (sources/), teams.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from openai_costs.questions.namesakes import Marks, marks_of
from openai_costs.settings import Team

OF_KEY = ["connection", "api_key_id"]


class Directory(NamedTuple):
    """The tables of the directory that spend is explained with.

    Args:
        api_keys: core.api_keys.
        users: core.users.
        service_accounts: core.service_accounts.
        projects: core.projects.
    """

    api_keys: pl.DataFrame
    users: pl.DataFrame
    service_accounts: pl.DataFrame
    projects: pl.DataFrame


def owners(directory: Directory) -> pl.DataFrame:
    """Return who owns each key: connection, api_key_id, owner_id; keys without an owner are not."""
    known = directory.api_keys.filter(pl.col("owner_id").is_not_null())
    return known.select("connection", "owner_id", api_key_id="id")


def with_names(rows: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Return rows with project_name, api_key_name and user_name, each where it has such an id."""
    found = {
        "project": directory.projects.select("connection", "id", "name"),
        "api_key": directory.api_keys.select("connection", "id", "name"),
        "user": _people(directory),
    }
    for kind, names in found.items():
        if f"{kind}_id" in rows.columns:
            called = names.rename({"id": f"{kind}_id", "name": f"{kind}_name"})
            rows = rows.join(called, on=["connection", f"{kind}_id"], how="left")
    return rows


def marks(directory: Directory) -> Marks:
    """Return what distinguishes the projects, API keys and people that have a namesake."""
    return marks_of(
        {
            "project": directory.projects,
            "api_key": directory.api_keys,
            "user": _people(directory),
        }
    )


def _people(directory: Directory) -> pl.DataFrame:
    """Return a name per user or service account: from their own list, or as the owner of a key."""
    newest = directory.api_keys.sort("last_seen_day", "id", descending=[True, False])
    lists = (
        directory.users.select("connection", "id", "name"),
        directory.service_accounts.select("connection", "id", "name"),
        newest.select("connection", id="owner_id", name="owner_name"),
    )
    named = pl.concat(lists).filter(pl.col("name").is_not_null())
    return named.unique(["connection", "id"], keep="first", maintain_order=True)


# Which team dollars belong to: a key says more than a user, a user more than a project.


def with_team(rows: pl.DataFrame, teams: Sequence[Team]) -> pl.DataFrame:
    """Return rows with team; null where settings give none.

    Args:
        rows: With api_key_id, user_id and project_id.
        teams: The teams of the settings; an id is in one of them at the most.
    """
    of_kinds = (("api_key_id", "api_keys"), ("user_id", "users"), ("project_id", "projects"))
    found = [_team_by(column, kind, teams) for column, kind in of_kinds]
    return rows.with_columns(team=pl.coalesce(found))


def _team_by(column: str, kind: str, teams: Sequence[Team]) -> pl.Expr:
    team_of = {one: team.name for team in teams for one in getattr(team, kind)}
    return pl.col(column).replace_strict(team_of, default=None, return_dtype=pl.String)
