"""What of the bill cannot be judged by the gateway, and why: never silence. Pure."""

from collections.abc import Collection, Iterator
from decimal import Decimal

import polars as pl

from openai_costs.kernel.formatting import dollars, listed

MOST_NAMED = 5
KEYED = pl.Schema(
    {"connection": pl.String(), "keyed_usd": pl.Decimal(38, 18), "usd": pl.Decimal(38, 18)}
)
"""What each connection was billed: with a key, and in all."""


def unjudged(
    billed: pl.DataFrame, costs_only: Collection[str], *, is_registry_known: bool
) -> list[str]:
    """Return a sentence for each reason why spend is not compared with the gateway in full.

    Args:
        billed: `KEYED`, of the last days.
        costs_only: Connections that give costs only, so that no list of keys is read.
        is_registry_known: Whether the gateway's tokens were ever read whole.
    """
    return [*_registry(billed, is_registry_known=is_registry_known), *_keys(billed, costs_only)]


def _registry(billed: pl.DataFrame, *, is_registry_known: bool) -> Iterator[str]:
    usd = sum(billed["usd"].to_list(), Decimal(0))
    if not is_registry_known:
        yield (
            f"{dollars(usd)} of the last 30 days is not judged: the gateway's tokens were never "
            "read whole. Run `openai-costs backfill`; `openai-costs doctor` shows what prevents it."
        )


def _keys(billed: pl.DataFrame, costs_only: Collection[str]) -> Iterator[str]:
    for name, keyed, usd in billed.sort("connection").iter_rows():
        if usd > 0 and keyed == 0:
            yield (
                f"{dollars(usd)} of connection {name} in the last 30 days names no API key, so no "
                "key of it is judged: the provider refused to name keys in the costs."
            )
    if named := sorted(set(billed["connection"]) & set(costs_only)):
        yield (
            f"access is costs_only for {listed(named, MOST_NAMED, 'connection')}: keys are judged "
            "by their ids alone. Their names, owners and unused keys are not known; access = "
            '"full" reads them.'
        )
