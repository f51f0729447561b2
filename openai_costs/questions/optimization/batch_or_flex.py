"""Work that may be able to wait, at batch and flex prices. Pure.

Daily data does not show nights. It shows which work does not pause at weekends.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Final

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import dollars
from openai_costs.questions.optimization.facts import MIN_SAVING_USD, Facts, Saving, Use
from openai_costs.questions.optimization.list_cost import (
    ListedModel,
    Mix,
    cost,
    together,
    token_prices,
    worked_out,
)
from openai_costs.questions.prices.catalogue import STANDARD

RULE: Final = "optimization.batch_or_flex"
PATIENT: Final = ("flex", "batch")
DAYS_OFF: Final = 2
"""A key that was idle on more days of the period does not run unattended."""
MIN_DAYS: Final = 28
WEEKEND_PCT: Final = 80
"""Below this share of a weekday's tokens on a weekend day, people are behind the traffic."""
CAN_WAIT: Final = 2
"""One in this many tokens is assumed to be able to wait."""
SATURDAY: Final = 5


def batch_or_flex(facts: Facts) -> Iterator[Saving]:
    """Yield the keys and models that run every day and never use a tier that waits."""
    personal = facts.keys.filter(pl.col("owner_type") == "user")["id"].to_list()
    for use in facts.uses:
        by_day = use.tiers.get(STANDARD, {})
        share = weekend_pct(by_day)
        is_restless = len(by_day) >= max(MIN_DAYS, len(facts.period) - DAYS_OFF)
        is_patient = not set(use.tiers).isdisjoint(PATIENT)
        if is_restless and share >= WEEKEND_PCT and not is_patient and use.key not in personal:
            yield from _saving(facts, use, by_day, share)


def weekend_pct(by_day: Mapping[date, Mix]) -> Decimal:
    """Return the tokens of an average weekend day as a share of an average weekday's."""
    weekend = [sum(tokens) for day, tokens in by_day.items() if day.weekday() >= SATURDAY]
    weekdays = [sum(tokens) for day, tokens in by_day.items() if day.weekday() < SATURDAY]
    if not weekend or not sum(weekdays):
        return Decimal(0)
    return Decimal(100 * sum(weekend) * len(weekdays)) / (len(weekend) * sum(weekdays))


def _saving(facts: Facts, use: Use, by_day: Mapping[date, Mix], share: Decimal) -> Iterator[Saving]:
    whole = together(by_day.values())
    now = token_prices(use.model, facts.period.last)
    before = cost(whole, now) if now else None
    offers = list(_offers(use.model, whole, facts.period))
    if now is None or before is None or not offers:
        return
    after, tier, arithmetic = min(offers, key=itemgetter(0))
    half = (before - after) / CAN_WAIT
    saving, as_paid = facts.as_paid(use.model.name, half)
    if saving < MIN_SAVING_USD:
        return
    because = (
        f"The key used {use.model.words} on {len(by_day)} of {len(facts.period)} days, with "
        f"{share:.0f} % of a weekday's tokens on weekend days, and never through batch or flex: "
        f"{worked_out(whole, now)}. At {tier} prices: {arithmetic}. If 1 in {CAN_WAIT} tokens can "
        f"wait: ({dollars(before)} - {dollars(after)}) / {CAN_WAIT} = {dollars(half)}{as_paid}. "
        "Ask the owner how long an answer may take."
    )
    yield facts.saving_of_key(RULE, use, saving, because)


def _offers(model: ListedModel, whole: Mix, period: DayRange) -> Iterator[tuple[Decimal, str, str]]:
    """Yield what the tokens cost in the tiers that wait: cost, tier, the arithmetic in words."""
    for tier in PATIENT:
        prices = token_prices(model, period.last, tier)
        usd = cost(whole, prices) if prices else None
        if prices is not None and usd is not None:
            yield usd, tier, worked_out(whole, prices)
