"""What a seat costs: the contract's price, an assumption, and what the bill says. Pure.

The Costs API has no lines for seats. Lines that look like one are shared evenly by the members.
"""

from collections.abc import Mapping
from decimal import Decimal, localcontext

import polars as pl

from openai_costs.money import MONEY, share_rounding
from openai_costs.sections import Seats

DIGITS = 60


def with_cost(rows: pl.DataFrame, billed: Mapping[str, Decimal], prices: Seats) -> pl.DataFrame:
    """Return seats with seat_usd, billed_seat_usd and seat_basis.

    Args:
        rows: connection, seat_kind, role, is_current, and more.
        billed: Dollars of subscription-like lines by connection.
        prices: The contract.
    """
    is_seat = (pl.col("seat_kind") == "user") & pl.col("is_current")
    price = pl.col("role").replace_strict(
        dict(prices.month_usd_by_role), default=prices.month_usd, return_dtype=MONEY
    )
    priced = rows.with_columns(seat_usd=pl.when(is_seat).then(price).cast(MONEY), is_seat=is_seat)
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
    return shared.with_columns(seat_basis=basis).drop("is_seat")


def _shared(seats: pl.DataFrame, usd: Decimal | None) -> pl.DataFrame:
    """Share dollars evenly over the seats of a connection, to the last digit."""
    count = int(seats["is_seat"].sum())
    shares: list[Decimal | None] = [None] * seats.height
    if usd is not None and count:
        with localcontext(prec=DIGITS):
            even = iter(share_rounding([usd / count] * count))
        shares = [next(even) if is_seat else None for is_seat in seats["is_seat"]]
    return seats.with_columns(pl.Series("billed_seat_usd", shares, MONEY))
