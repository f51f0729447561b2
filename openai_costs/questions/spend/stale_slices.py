"""Which days' marts have other names, owners or teams than there are now. Pure.

Takes what the marts have once per id, not every row. Not here: making the days again.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from openai_costs.questions.spend.names import OF_KEY, Directory, owners, with_names, with_team
from openai_costs.settings import Team
from openai_costs.storage.slices import Slice

COLUMNS_OF_KEYS = (
    "connection",
    "project_id",
    "project_name",
    "api_key_id",
    "api_key_name",
)
"""The columns of mart.spend that the directory may have made stale."""

COLUMNS_OF_USERS = (
    "connection",
    "project_id",
    "project_name",
    "api_key_id",
    "user_id",
    "user_name",
    "team",
    "attribution",
)
"""The columns of mart.spend_attribution that directory or settings may have made stale."""

TEAM_USD = ("connection", "day", "team", "usd")
"""What a mart has per day and team. mart.spend takes its teams from mart.spend_attribution."""


def stale_rows(
    of_keys: pl.DataFrame, of_users: pl.DataFrame, directory: Directory, teams: Sequence[Team]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of both marts that have other names, owners or teams than there are now.

    Args:
        of_keys: The distinct `COLUMNS_OF_KEYS` of mart.spend.
        of_users: The distinct `COLUMNS_OF_USERS` of mart.spend_attribution.
        directory: The directory as it stands.
        teams: The teams of the settings.
    """
    keys_now = with_names(_ids(of_keys), directory)
    users_now = with_team(with_names(_ids(of_users), directory), teams)
    others = (
        _differing(of_users, users_now, ("project_name", "user_name", "team")),
        _of_other_owners(of_users, owners(directory)),
    )
    of_other_users = pl.concat([rows.select(COLUMNS_OF_USERS) for rows in others]).unique()
    differing = _differing(of_keys, keys_now, ("project_name", "api_key_name"))
    return differing.select(COLUMNS_OF_KEYS), of_other_users


def days_with(stored: pl.DataFrame, stale: pl.DataFrame) -> set[date]:
    """Return the days on which a mart has some of its stale rows.

    Args:
        stored: The distinct columns of the stale rows, with day.
        stale: One of what `stale_rows` returns.
    """
    found = stored.join(stale, on=stale.columns, how="semi", nulls_equal=True)
    return set(found["day"])


def slices_of_other_teams(spend: pl.DataFrame, attribution: pl.DataFrame) -> list[Slice]:
    """Return the slices in which mart.spend has other dollars of a team than the attribution.

    Args:
        spend: `TEAM_USD` of mart.spend.
        attribution: `TEAM_USD` of mart.spend_attribution.
    """
    columns, is_something = list(TEAM_USD), pl.col("usd") != 0
    one, other = (rows.filter(is_something) for rows in (spend, attribution))
    differing = (
        one.join(other, on=columns, how="anti", nulls_equal=True),
        other.join(one, on=columns, how="anti", nulls_equal=True),
    )
    keys = pl.concat([rows.select("connection", "day") for rows in differing]).unique()
    return [Slice(*key) for key in keys.sort("connection", "day").iter_rows()]


def _ids(stored: pl.DataFrame) -> pl.DataFrame:
    ids = [name for name in stored.columns if name.endswith("_id")]
    return stored.select("connection", *ids).unique()


def _differing(stored: pl.DataFrame, now: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the rows of which one name is another now."""
    ids = [name for name in stored.columns if name.endswith("_id")]
    both = stored.join(now, on=["connection", *ids], nulls_equal=True, suffix="_now")
    return both.filter(
        pl.any_horizontal(pl.col(one).ne_missing(pl.col(f"{one}_now")) for one in names)
    )


def _of_other_owners(stored: pl.DataFrame, owned: pl.DataFrame) -> pl.DataFrame:
    """Return rows of keys, not of the provider's own word, that are not their owner's of now."""
    by_key = stored.filter(pl.col("attribution") != "direct", pl.col("api_key_id").is_not_null())
    now = by_key.join(owned, on=OF_KEY, how="left")
    was = pl.when(attribution="key_owner").then("user_id")
    return now.filter(was.ne_missing(pl.col("owner_id")))
