"""What requests above the usual context cost more than the same tokens below it. Pure."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from openai_costs.kernel.formatting import dollars
from openai_costs.questions.optimization.facts import MIN_SAVING_USD, Facts, Saving
from openai_costs.questions.optimization.list_cost import Mix, per_million
from openai_costs.questions.prices.catalogue import Item, list_price

RULE: Final = "optimization.long_context"
_LINE: Final = ["line_item", *Item._fields]


def long_context(facts: Facts) -> Iterator[Saving]:
    """Yield the labels of long context with what they cost above the usual price."""
    surcharged = facts.lines.filter(
        pl.col("is_long_context"),
        pl.col("usage_type").is_in(Mix._fields),
        pl.col("quantity_unit") == "tokens",
    )
    by_label = surcharged.group_by(_LINE).agg(pl.col("billed_usd", "quantity").sum())
    for label, *about, billed, quantity in by_label.sort("line_item").iter_rows():
        item = Item(*about)
        above = list_price(item, facts.period.last).usd
        below = list_price(item._replace(is_long_context=False), facts.period.last).usd
        if above is None or below is None:
            continue
        more = quantity * (above - below).normalize()
        saving, as_paid = facts.as_paid(item.model, more)
        if saving >= MIN_SAVING_USD:
            because = (
                f"{quantity:,.0f} tokens of {item.model} in requests above the usual context cost "
                f"{per_million(above)} instead of {per_million(below)} per million: "
                f"{dollars(more)} more{as_paid}. Find the prompts that are this long."
            )
            yield Saving(RULE, "line_item", str(label), None, item.model, billed, saving, because)
