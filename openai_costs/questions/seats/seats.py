"""mart.seats: who holds a seat, who that is, what they spend and what the seat costs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

import polars as pl

from openai_costs.kernel.money import MONEY, WIDE, share_rounding
from openai_costs.questions.matching import Matcher
from openai_costs.questions.provider_scope import OPENAI
from openai_costs.questions.seats.holders import holders
from openai_costs.settings import Directory
from openai_costs.settings import Seats as Prices
from openai_costs.tables.mart.seats import SHARED, Seats

# What a seat costs: the contract's price, an assumption, and what the bill says. The Costs
# API has no lines for seats. Lines that look like one are shared evenly by the members.


def with_cost(rows: pl.DataFrame, billed: Mapping[str, Decimal], prices: Prices) -> pl.DataFrame:
    """Return seats with seat_usd, billed_seat_usd and seat_basis.

    Args:
        rows: connection, provider, seat_kind, role, is_current, and more.
        billed: Dollars of subscription-like lines by connection.
        prices: The contract, which is OpenAI's: a member elsewhere costs nothing by it.
    """
    is_seat = (pl.col("seat_kind") == "user") & pl.col("is_current")
    is_in_contract = pl.col("provider") == OPENAI
    price = pl.col("role").replace_strict(
        dict(prices.month_usd_by_role), default=prices.month_usd, return_dtype=MONEY
    )
    priced = rows.with_columns(
        seat_usd=pl.when(is_seat & is_in_contract).then(price).cast(MONEY), is_seat=is_seat
    )
    parts = priced.partition_by("connection", as_dict=True, maintain_order=True)
    shared = pl.concat(
        [_shared(priced.clear(), None)]
        + [_shared(part, billed.get(str(name))) for (name,), part in parts.items()]
    )
    has_price, has_bill = (pl.col(f"{what}seat_usd").is_not_null() for what in ("", "billed_"))
    basis = (
        pl.when(has_price & has_bill)
        .then(pl.lit("both"))
        .when(has_price)
        .then(pl.lit("contract_price"))
        .when(has_bill)
        .then(pl.lit("bill"))
        .otherwise(pl.lit("none"))
    )
    return shared.with_columns(seat_basis=basis).drop("is_seat", "provider")


def _shared(seats: pl.DataFrame, usd: Decimal | None) -> pl.DataFrame:
    """Share dollars evenly over the seats of a connection, to the last digit."""
    count = int(seats["is_seat"].sum())
    shares: list[Decimal | None] = [None] * seats.height
    if usd is not None and count:
        with localcontext(WIDE):
            even = iter(share_rounding([usd / count] * count))
        shares = [next(even) if is_seat else None for is_seat in seats["is_seat"]]
    return seats.with_columns(pl.Series("billed_seat_usd", shares, MONEY))


WINDOW_DAYS = 30


@dataclass(frozen=True)
class Membership:
    """What is known about the members of the organizations.

    Args:
        users: core.users.
        invites: core.invites.
        service_accounts: core.service_accounts.
        project_members: core.project_members.
        api_keys: core.api_keys.
        admin_keys: core.admin_keys.
        spenders: connection, user_id, spend_30d_usd, last_day: dollars attributed to users.
        spent_days: connection, user_id, day, billed_usd: the days of spend_30d_usd.
        subscriptions: Dollars of subscription-like lines by connection, in the same days.
        as_of_days: The newest settled day of each connection's ledger.
        read_from: The first day of each connection's ledger: no one is idle for longer than read.
    """

    users: pl.DataFrame
    invites: pl.DataFrame
    service_accounts: pl.DataFrame
    project_members: pl.DataFrame
    api_keys: pl.DataFrame
    admin_keys: pl.DataFrame
    spenders: pl.DataFrame
    spent_days: pl.DataFrame
    subscriptions: Mapping[str, Decimal]
    as_of_days: Mapping[str, date]
    read_from: Mapping[str, date]


def seats(
    members: Membership, engineers: pl.DataFrame, rules: Directory, prices: Prices
) -> pl.DataFrame:
    """Return mart.seats.

    Args:
        members: What is known about the members of the organizations.
        engineers: core.engineers. When it is empty or not trusted, no one is judged.
        rules: How an address finds its person.
        prices: What a seat costs, and when it is idle.
    """
    lately = members.spenders.filter(pl.col("spend_30d_usd") != 0)
    held = holders(
        members.users, members.invites, members.service_accounts, lately, rules.service_accounts
    )
    newest = max(members.as_of_days.values(), default=None)
    counted = _counted(_with_people(held, engineers, rules, newest), members)
    left = _with_spend_after_leaving(counted, members.spent_days)
    active = _with_activity(left, members, prices.idle_after_days)
    return (
        with_cost(active, members.subscriptions, prices)
        .select(list(Seats.types()))
        .sort("connection", "seat_kind", "user_id")
    )


def _with_people(
    held: pl.DataFrame, engineers: pl.DataFrame, rules: Directory, newest: date | None
) -> pl.DataFrame:
    """Add who each holder is: person_id, matched_by, team, left_day, status.

    The name is the organization's, or the directory's where that has none. A person who leaves on a
    day that is still to come is active.
    """
    people = engineers.filter("is_trusted")
    matcher = Matcher(people, rules)
    accounts = held.select("email", "user_id").rows()
    hits = [matcher.find(*one) for one in accounts]
    rules_of = [
        hit.rule if hit else SHARED if matcher.is_shared(*one) else None
        for hit, one in zip(hits, accounts, strict=True)
    ]
    matches = pl.DataFrame(
        {
            "person_id": [hit.person_id if hit else None for hit in hits],
            "matched_by": rules_of,
        },
        schema={"person_id": pl.String, "matched_by": pl.String},
    )
    is_ahead = (pl.col("left_day") >= pl.lit(newest, pl.Date)).fill_null(False)
    state = pl.when(~is_ahead).then("status")
    known = people.select("person_id", "team", "left_day", state=state, person_name="name")
    joined = held.hstack(matches).join(known, on="person_id", how="left", maintain_order="left")
    return joined.with_columns(
        name=pl.coalesce("name", "person_name"), status=_status(is_judged=not people.is_empty())
    )


def _status(*, is_judged: bool) -> pl.Expr:
    """Return the state of a seat; null for a member when no one can be judged."""
    state = (
        pl.when(pl.col("seat_kind") == "service_account")
        .then(pl.lit("service_account"))
        .when(pl.col("state") == "left")
        .then(pl.lit("left"))
        .when(pl.col("seat_kind") == "invite")
        .then(pl.lit("invited"))
    )
    if not is_judged:
        return state
    is_main = pl.col("matched_by").is_in(["email", "openai_user_id"])
    return (
        state.when(pl.col("person_id").is_null())
        .then(pl.lit("unmatched"))
        .when(is_main)
        .then(pl.lit("matched"))
        .otherwise(pl.lit("alias"))
    )


def _counted(rows: pl.DataFrame, members: Membership) -> pl.DataFrame:
    """Add how many keys a seat owns and projects it belongs to."""
    found = rows
    for table, owner, name in (
        (members.admin_keys, "owner_id", "admin_keys"),
        (members.api_keys, "owner_id", "api_keys"),
        (members.project_members, "id", "projects"),
    ):
        counts = (
            table.filter("is_current")
            .group_by("connection", pl.col(owner).alias("user_id"))
            .agg(pl.len().cast(pl.Int64).alias(name))
        )
        found = found.join(counts, on=["connection", "user_id"], how="left")
    return found.with_columns(pl.col("admin_keys", "api_keys", "projects").fill_null(0))


def _with_spend_after_leaving(rows: pl.DataFrame, spent: pl.DataFrame) -> pl.DataFrame:
    """Add the dollars of the days after a person left; of all days without a leaving day."""
    is_after = pl.col("left_day").is_null() | (pl.col("day") > pl.col("left_day"))
    after = (
        rows.filter(status="left")
        .select("connection", "user_id", "left_day")
        .join(spent, on=["connection", "user_id"], how="left")
        .group_by("connection", "user_id")
        .agg(spend_after_left_usd=pl.col("billed_usd").filter(is_after).sum())
    )
    return rows.join(after, on=["connection", "user_id"], how="left", maintain_order="left")


def _with_activity(rows: pl.DataFrame, members: Membership, idle_after_days: int) -> pl.DataFrame:
    """Add spend, the last active day and whether the seat is idle; a newcomer is not idle yet."""
    as_of = pl.col("connection").replace_strict(
        dict(members.as_of_days), default=None, return_dtype=pl.Date
    )
    newest = pl.max_horizontal("last_day", pl.col("last_used_at").dt.date())
    since = pl.coalesce("last_active_day", pl.col("joined_at").dt.date())
    is_long_ago = (as_of - since).dt.total_days() > idle_after_days
    first_read = pl.col("connection").replace_strict(
        dict(members.read_from), default=None, return_dtype=pl.Date
    )
    is_read = (as_of - first_read).dt.total_days() >= idle_after_days
    return (
        rows.join(members.spenders, on=["connection", "user_id"], how="left")
        .with_columns(pl.col("spend_30d_usd").fill_null(0), last_active_day=newest, as_of_day=as_of)
        .with_columns(
            is_idle=is_long_ago.fill_null(value=True)
            & is_read.fill_null(value=False)
            & (pl.col("seat_kind") != "invite")
        )
    )
