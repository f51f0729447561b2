"""The check of mart.price_check: a model without a list price is told, with its dollars."""

from collections.abc import Iterator

from openai_costs.checks import WARN, Rule, Verdict, day_checks
from openai_costs.contracts import asset_key
from openai_costs.days import DayRange
from openai_costs.lake import Lake
from openai_costs.money import total
from openai_costs.prices.catalogue import SOURCE
from openai_costs.prices.price_check import unknown_models, unpriced
from openai_costs.tables.mart.price_check import PriceCheck

MOST_SAID = 10
KNOWN_PRICES = Rule(
    "known_prices",
    "The price catalogue knows every model that was billed.",
    WARN,
    is_daily=False,
)


@day_checks(asset_key(PriceCheck), (KNOWN_PRICES,))
def price_checks(lake: Lake, days: DayRange) -> Iterator[Verdict]:
    """Judge the days of a run together."""
    missing = unpriced(lake.read(PriceCheck, days))
    unknown = unknown_models(missing)
    said = [f"{model} ({usd:.2f} USD)" for model, usd in unknown.head(MOST_SAID).iter_rows()]
    more = f" and {unknown.height - MOST_SAID} more" if unknown.height > MOST_SAID else ""
    because = f"{SOURCE} does not know {', '.join(said)}{more}." if said else KNOWN_PRICES.promise
    usd = str(total(missing["billed_usd"]))
    figures: dict[str, str | int] = {"unknown_models": unknown.height, "unpriced_usd": usd}
    yield Verdict(KNOWN_PRICES, days.last, not said, because, figures)


CHECKS = (price_checks,)
