"""Which days' marts say something else than the directory and the settings say now. Pure.

Takes what the marts say once per day and id, not every row. Not here: making the days again.
"""

from collections.abc import Sequence

import polars as pl

from openai_costs.questions.spend.breakdown import explained
from openai_costs.questions.spend.names import OF_KEY, Directory, owners, with_names, with_team
from openai_costs.settings import Team
from openai_costs.storage.slices import Slice

SAID_OF_KEYS = (
    "connection",
    "day",
    "project_id",
    "project_name",
    "api_key_id",
    "api_key_name",
    "team",
)
"""The columns of mart.spend that may have been overtaken."""

SAID_OF_USERS = (
    "connection",
    "day",
    "project_id",
    "project_name",
    "api_key_id",
    "user_id",
    "user_name",
    "team",
    "attribution",
)
"""The columns of mart.spend_attribution that may have been overtaken."""


def stale_slices(
    of_keys: pl.DataFrame, of_users: pl.DataFrame, directory: Directory, teams: Sequence[Team]
) -> list[Slice]:
    """Return the slices whose marts have other names, owners or teams than there are now.

    Args:
        of_keys: The distinct `SAID_OF_KEYS` of mart.spend.
        of_users: The distinct `SAID_OF_USERS` of mart.spend_attribution.
        directory: The directory as it stands.
        teams: The teams of the settings.
    """
    keys_now = explained(_ids(of_keys), directory, teams)
    users_now = with_team(with_names(_ids(of_users), directory), teams)
    overtaken = (
        _differing(of_keys, keys_now, ("project_name", "api_key_name", "team")),
        _differing(of_users, users_now, ("project_name", "user_name", "team")),
        _of_other_owners(of_users, owners(directory)),
    )
    slices = pl.concat([rows.select("connection", "day") for rows in overtaken])
    return [Slice(*key) for key in slices.unique().sort("connection", "day").iter_rows()]


def _ids(said: pl.DataFrame) -> pl.DataFrame:
    ids = [name for name in said.columns if name.endswith("_id")]
    return said.select("connection", *ids).unique()


def _differing(said: pl.DataFrame, now: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the rows of which one name is another now."""
    ids = [name for name in said.columns if name.endswith("_id")]
    both = said.join(now, on=["connection", *ids], nulls_equal=True, suffix="_now")
    return both.filter(
        pl.any_horizontal(pl.col(one).ne_missing(pl.col(f"{one}_now")) for one in names)
    )


def _of_other_owners(said: pl.DataFrame, owned: pl.DataFrame) -> pl.DataFrame:
    """Return rows of keys, not of the provider's own word, that are not their owner's of now."""
    by_key = said.filter(pl.col("attribution") != "direct", pl.col("api_key_id").is_not_null())
    now = by_key.join(owned, on=OF_KEY, how="left")
    was = pl.when(attribution="key_owner").then("user_id")
    return now.filter(was.ne_missing(pl.col("owner_id")))
