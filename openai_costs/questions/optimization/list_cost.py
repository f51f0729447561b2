"""What a mix of tokens costs at list price, and the arithmetic in words. Pure."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from openai_costs.kernel.formatting import dollars, exact_dollars, to_cents
from openai_costs.questions.prices.catalogue import STANDARD, Item, list_price
from openai_costs.questions.prices.price_lists import OPENAI

MILLION = 1_000_000


class ListedModel(NamedTuple):
    """A model as the price list of who invoices has it.

    Args:
        name: The model as the bill or usage names it.
        host: Who invoices.
        region: Where it ran, where prices differ by region; None elsewhere.
    """

    name: str
    host: str = OPENAI
    region: str | None = None

    @property
    def words(self) -> str:
        """The model, and the region where its price depends on it."""
        return f"{self.name} in {self.region}" if self.region else self.name


class Mix(NamedTuple):
    """Tokens by the kind they are billed as."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    cache_write_1h: int = 0

    @property
    def all_input(self) -> int:
        """All input tokens, whatever the cache did with them."""
        return self.input + self.cached_input + self.written

    @property
    def written(self) -> int:
        """The input tokens written to the cache."""
        return self.cache_write + self.cache_write_1h


class Prices(NamedTuple):
    """Dollars for one token by its kind; None where the catalogue has no price."""

    input: Decimal | None
    cached_input: Decimal | None
    cache_write: Decimal | None
    output: Decimal | None
    cache_write_1h: Decimal | None = None


def together(mixes: Iterable[Mix]) -> Mix:
    """Return the sum of some mixes."""
    return Mix(*map(sum, zip(Mix(), *mixes, strict=True)))


def token_prices(
    model: ListedModel, day: date, tier: str = STANDARD, *, is_long: bool = False
) -> Prices | None:
    """Return a model's list prices; None where the catalogue knows not even that of its input."""
    about = (tier, is_long, None, model.host, model.region)
    found = (list_price(Item(model.name, side, None, *about), day) for side in Mix._fields)
    # Without the zeros behind, so that the products below are short and exact.
    prices = Prices(*(None if one.usd is None else one.usd.normalize() for one in found))
    return None if prices.input is None else prices


def cost(tokens: Mix, prices: Prices) -> Decimal | None:
    """Return what the tokens cost, to a cent; None where a price that they need is not known.

    A saving is a difference of such costs, so that it is that of the costs in its sentence.
    """
    needed = [(n, usd) for n, usd in zip(tokens, prices, strict=True) if n]
    if any(usd is None for _, usd in needed):
        return None
    return to_cents(sum((n * usd for n, usd in needed if usd is not None), Decimal(0)))


def per_million(usd: Decimal) -> str:
    """Return a price of one token as the price of a million, in words."""
    return exact_dollars(usd * MILLION)


def worked_out(tokens: Mix, prices: Prices) -> str:
    """Return the arithmetic in words: tokens times the price of a million."""
    names = ("input", "cached input", "cache writes", "output", "cache writes of an hour")
    terms = [
        f"{n:,} {name} x {per_million(usd or Decimal(0))}"
        for n, name, usd in zip(tokens, names, prices, strict=True)
        if n
    ]
    whole = cost(tokens, prices) or Decimal(0)
    return f"({' + '.join(terms)}) per million tokens = {dollars(whole)}"
