"""Input that a key read from the cache in its best week, but not on average. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.formatting import dollars
from openai_costs.questions.optimization.facts import MIN_SAVING_USD, Facts, Saving, Use
from openai_costs.questions.optimization.list_cost import (
    Mix,
    cost,
    together,
    token_prices,
    worked_out,
)
from openai_costs.questions.prices.catalogue import STANDARD

RULE: Final = "optimization.cache_reads"
MIN_DAYS: Final = 14
"""A key used on fewer days of the period has no pattern to compare."""
MIN_GAP_PCT: Final = 5
"""A lead of fewer percentage points may be chance."""
WEEK: Final = 7
HALF: Final = 2
"""The best week must have half the tokens of an average one to be comparable."""


class Week(NamedTuple):
    """Seven days and their tokens."""

    days: DayRange
    tokens: Mix


def cache_reads(facts: Facts) -> Iterator[Saving]:
    """Yield the keys and models that would save by the cache rate of their own best week."""
    for use in facts.uses:
        by_day = use.tiers.get(STANDARD, {})
        best = best_week(by_day, facts.period) if len(by_day) >= MIN_DAYS else None
        if best is not None:
            yield from _saving(facts, use, together(by_day.values()), best)


def best_week(by_day: Mapping[date, Mix], period: DayRange) -> Week | None:
    """Return the seven days with the highest share of cached input; None without such a week."""
    starts = [day for day in period if day + ONE_DAY * (WEEK - 1) <= period.last]
    whole = together(by_day.values()).all_input
    found = []
    for start in starts:
        days = DayRange(start, start + ONE_DAY * (WEEK - 1))
        tokens = together(by_day[day] for day in days if day in by_day)
        if tokens.cached_input and tokens.all_input * len(period) * HALF >= whole * WEEK:
            found.append(Week(days, tokens))
    return max(found, key=lambda week: _cached_pct(week.tokens), default=None)


def at_the_rate_of(best: Mix, now: Mix) -> Mix:
    """Return the same input in the mix of another week; remainders count at the higher price."""
    cached = now.all_input * best.cached_input // best.all_input
    written, hour = (
        -(-now.all_input * tokens // best.all_input)
        for tokens in (best.cache_write, best.cache_write_1h)
    )
    return Mix(max(now.all_input - cached - written - hour, 0), cached, written, 0, hour)


def _saving(facts: Facts, use: Use, whole: Mix, best: Week) -> Iterator[Saving]:
    prices = token_prices(use.model, facts.period.last)
    now, then = whole._replace(output=0), at_the_rate_of(best.tokens, whole)
    if prices is None:
        return
    before, after = cost(now, prices), cost(then, prices)
    if before is None or after is None:
        return
    saving, as_paid = facts.as_paid(use.model.name, before - after)
    is_noise = _cached_pct(best.tokens) - _cached_pct(now) < MIN_GAP_PCT
    if is_noise or saving < MIN_SAVING_USD:
        return
    because = (
        f"{_cached_pct(now):.1f} % of the key's {use.model.words} input was read from the cache: "
        f"{worked_out(now, prices)}. In its best week, {best.days}, it was "
        f"{_cached_pct(best.tokens):.1f} % ({best.tokens.cached_input:,} of "
        f"{best.tokens.all_input:,} tokens). The same input in the mix of that week: "
        f"{worked_out(then, prices)}, {dollars(before - after)} less{as_paid}. Check what "
        "changed in the prompt after that week."
    )
    yield facts.saving_of_key(RULE, use, saving, because)


def _cached_pct(tokens: Mix) -> Decimal:
    return Decimal(100 * tokens.cached_input) / max(tokens.all_input, 1)
