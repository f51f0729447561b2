"""Which team dollars belong to: a key says more than a user, a user more than a project. Pure."""

from collections.abc import Sequence

import polars as pl

from openai_costs.sections import Team


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
