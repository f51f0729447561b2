"""Everyone and everything that holds a seat or is invited to one. Pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import polars as pl

from openai_costs.questions.matching import folded

COLUMNS = (
    "connection",
    "provider",
    "user_id",
    "seat_kind",
    "name",
    "email",
    "role",
    "is_current",
    "joined_at",
    "last_used_at",
)


def holders(
    users: pl.DataFrame,
    invites: pl.DataFrame,
    service_accounts: pl.DataFrame,
    spenders: pl.DataFrame,
    robots: Sequence[str],
) -> pl.DataFrame:
    """Return one row per member, open invite and service account: COLUMNS.

    Members that are no longer listed are included as long as they spend.

    Args:
        users: core.users.
        invites: core.invites.
        service_accounts: core.service_accounts.
        spenders: connection, user_id: who spent lately.
        robots: Patterns of addresses and ids of service accounts.
    """
    spends = spenders.select("connection", id="user_id").unique()
    is_robot = pl.col("is_service_account").fill_null(False) | _matches(users, robots)
    members = users.with_columns(
        seat_kind=pl.when(is_robot).then(pl.lit("service_account")).otherwise(pl.lit("user"))
    )
    accounts = service_accounts.join(users, on=["connection", "id"], how="anti").with_columns(
        seat_kind=pl.lit("service_account"),
        email=pl.lit(None, pl.String),
        added_at="created_at",
        last_used_at=pl.lit(None, pl.Datetime("us")),
    )
    seated = pl.concat([_laid_out(members, "added_at"), _laid_out(accounts, "added_at")])
    still_here = seated.filter("is_current")
    gone = seated.filter(~pl.col("is_current")).join(
        spends, left_on=["connection", "user_id"], right_on=["connection", "id"], how="semi"
    )
    is_open = pl.col("is_current") & pl.col("accepted_at").is_null()
    invited = invites.filter(is_open & ~pl.col("status").is_in(["expired", "accepted"]))
    invited = invited.with_columns(
        seat_kind=pl.lit("invite"), last_used_at=pl.lit(None, pl.Datetime("us"))
    )
    return pl.concat([still_here, gone, _laid_out(invited, "created_at")])


def _laid_out(rows: pl.DataFrame, joined: str) -> pl.DataFrame:
    return rows.with_columns(user_id="id", joined_at=joined).select(COLUMNS)


def _matches(users: pl.DataFrame, patterns: Sequence[str]) -> pl.Series:
    """Return which members' address or id fits a pattern."""
    wanted = [folded(pattern) for pattern in patterns]
    fits = [
        any(fnmatchcase(folded(one or ""), pattern) for one in pair for pattern in wanted)
        for pair in users.select("email", "id").iter_rows()
    ]
    return pl.Series("is_robot", fits, pl.Boolean)
