"""Users that the provider names, assigned to a ledger that was read without them. Pure.

The user view has the same dollars by user and line item, the ledger by project, key and line item.
A user's dollars are placed on the keys that are the user's; of what is then left, a user and a
project are matched only where one of either remains. Nothing is guessed or divided, so
each line item adds up to the ledger's dollars, whatever the view says. Where the users have all
dollars of the keys, a refund without a key is not a user's and takes nothing from a key.
"""

from collections.abc import Iterator

import polars as pl

ITEM = ["connection", "day", "line_item"]
LINE = [
    "connection",
    "provider",
    "day",
    "project_id",
    "api_key_id",
    "user_id",
    "model",
    "usage_type",
    "billed_usd",
]
"""The columns of a line: dollars of the ledger with the user that the provider names, or none."""

_USD = pl.col("billed_usd")


def named_lines(ledger: pl.DataFrame, view: pl.DataFrame, holders: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger as lines (`LINE`), with every user that the provider names.

    Args:
        ledger: core.spend.
        view: core.spend_by_user of the same days.
        holders: Whose each key is: connection, day, api_key_id, holder.
    """
    has_users = pl.col("grouping").str.split(",").list.contains("user_id")
    silent = _with_refunds(ledger.filter(~has_users), view)
    lines = silent.filter(~pl.col("is_refund"))
    held = lines.join(holders, on=["connection", "day", "api_key_id"], how="left")
    users = _users(held, view)
    named_items = users.select(ITEM).unique()
    parts = [
        ledger.filter(has_users).select(LINE),
        silent.filter("is_refund").select(LINE),
        held.join(named_items, on=ITEM, how="anti", nulls_equal=True).select(LINE),
        *_placed(held, users.filter("is_plain")),
        *_apart(users.filter(~pl.col("is_plain"))),
    ]
    return pl.concat(parts)


def _with_refunds(silent: pl.DataFrame, view: pl.DataFrame) -> pl.DataFrame:
    """Mark the refunds without a key of line items whose users have all dollars of the keys."""
    has_key = pl.col("api_key_id").is_not_null()
    of_keys = silent.filter(has_key).group_by(ITEM).agg(keys_usd=_USD.sum())
    users = view.filter(pl.col("user_id").is_not_null())
    of_users = users.group_by(ITEM).agg(users_usd=_USD.sum())
    both = of_keys.join(of_users, on=ITEM, nulls_equal=True)
    equal = both.filter(pl.col("keys_usd") == pl.col("users_usd")).select(ITEM)
    marked = silent.join(equal.with_columns(is_refund=True), on=ITEM, how="left", nulls_equal=True)
    return marked.with_columns(pl.col("is_refund").fill_null(False) & ~has_key & (_USD < 0))


def _users(held: pl.DataFrame, view: pl.DataFrame) -> pl.DataFrame:
    """Return the dollars of each user and line item of the ledger, and what they are part of.

    Columns: `ITEM`, provider, model, usage_type, total_usd (the ledger's), user_id, billed_usd,
    nobody_usd (the dollars that no user has) and is_plain: no line of the ledger and no user's
    amount is negative, and no credit without a user offsets what users spent. A view that was read
    at another moment than the ledger may have more dollars: the largest user loses the surplus.
    """
    items = held.group_by(ITEM).agg(
        pl.col("provider", "model", "usage_type").first(),
        total_usd=_USD.sum(),
        lowest_usd=_USD.min(),
    )
    named = view.filter(pl.col("user_id").is_not_null()).select(*ITEM, "user_id", "billed_usd")
    credited = view.filter(pl.col("user_id").is_null(), _USD < 0).select(ITEM).unique()
    seen = named.join(items, on=ITEM, nulls_equal=True).join(
        credited.with_columns(is_credited=True), on=ITEM, how="left", nulls_equal=True
    )
    lowest = pl.min_horizontal("lowest_usd", _USD.min().over(ITEM))
    is_offset = pl.col("is_credited").fill_null(False) & (
        _USD.sum().over(ITEM) > pl.col("total_usd")
    )
    given = pl.when("is_plain").then(_within("total_usd", ITEM)).otherwise(_USD)
    return (
        seen.with_columns(is_plain=(lowest >= 0) & ~is_offset)
        .sort(*ITEM, "billed_usd", "user_id")
        .with_columns(billed_usd=given)
        .with_columns(nobody_usd=pl.col("total_usd") - _USD.sum().over(ITEM))
    )


def _within(limit_usd: str, group: list[str]) -> pl.Expr:
    """The part of each amount that is among the first `limit_usd` dollars of its group."""
    room = pl.col(limit_usd) - (_USD.cum_sum().over(group) - _USD)
    return pl.min_horizontal(_USD, pl.max_horizontal(room, pl.lit(0)))


def _placed(held: pl.DataFrame, users: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield lines: users on their own keys, dollars without a user (keyless first), the rest."""
    of_user = users.select(*ITEM, holder="user_id", holder_usd="billed_usd")
    of_item = users.select(*ITEM, "nobody_usd").unique(ITEM)
    lines = (
        held.join(of_item, on=ITEM, nulls_equal=True)
        .join(of_user, on=[*ITEM, "holder"], how="left", nulls_equal=True)
        .with_columns(pl.col("holder_usd").fill_null(0))
        .sort(*ITEM, "api_key_id", "project_id", "quantity_unit")
        .with_columns(own_usd=_within("holder_usd", [*ITEM, "holder"]))
    )
    yield lines.with_columns(user_id="holder", billed_usd="own_usd").select(LINE)
    lines = lines.with_columns(_USD - pl.col("own_usd"))
    lines = lines.with_columns(no_users_usd=_within("nobody_usd", ITEM))
    yield lines.with_columns(billed_usd="no_users_usd").select(LINE)
    placed = lines.group_by(*ITEM, user_id="holder").agg(pl.col("own_usd").sum())
    unplaced = users.join(placed, on=[*ITEM, "user_id"], how="left", nulls_equal=True)
    yield from _rest(
        lines.with_columns(_USD - pl.col("no_users_usd")).filter(_USD > 0),
        unplaced.with_columns(_USD - pl.col("own_usd").fill_null(0)).filter(_USD > 0),
    )


def _rest(lines: pl.DataFrame, users: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield lines of dollars that the view gives to users who own none of the keys.

    One user left: all lines are that user's. One project or key left: all users' dollars are its.
    """
    only = {name: _only(name) for name in ("project_id", "api_key_id")}
    users = users.join(lines.group_by(ITEM).agg(**only), on=ITEM, nulls_equal=True)
    is_alone = pl.len().over(ITEM) == 1
    alone = users.filter(is_alone).select(*ITEM, "user_id")
    yield lines.drop("user_id").join(alone, on=ITEM, nulls_equal=True).select(LINE)
    yield users.filter(~is_alone).select(LINE)


def _only(name: str) -> pl.Expr:
    return pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first())


def _apart(users: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield lines of users without a project, and the rest of each line item without a user.

    Taken where an amount is negative: to fill up a key with dollars has no meaning there.
    """
    nothing = pl.lit(None, pl.String)
    of_users = users.with_columns(project_id=nothing, api_key_id=nothing)
    yield of_users.select(LINE)
    left = of_users.unique(ITEM).with_columns(user_id=nothing, billed_usd="nobody_usd")
    yield left.select(LINE)
