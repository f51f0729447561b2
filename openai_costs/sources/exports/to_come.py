"""Charges that are dated after today, as a sentence: no table has them before their day. Pure.

A fee or a purchase may be billed ahead of its day. Usage cannot: its date, or this clock, is wrong.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from openai_costs.kernel.formatting import counted, total_usd
from openai_costs.sources.exports.evidence import Sum


def to_come(later: Iterable[tuple[date, Sum]]) -> str:
    """Return the sentence about charges after today; empty where there are none.

    Args:
        later: What the rows of a file add up to on a day that has not come.
    """
    found = sorted(later, key=lambda one: (one[0], one[1].source))
    if not found:
        return ""
    billed: dict[str, list[Decimal]] = defaultdict(list)
    for _, one in found:
        billed[one.currency].append(Decimal(one.billed))
    amounts = " and ".join(f"{total_usd(its):,.2f} {code}" for code, its in sorted(billed.items()))
    first, source = found[0][0], found[0][1].source
    charges = counted(sum(one.rows for _, one in found), "charge")
    return (
        f"{charges} of {amounts} dated after today, the first {first} in {source}: none counts "
        "before its day, and none shows that an earlier day is complete"
    )
