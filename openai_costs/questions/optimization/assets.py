"""What could be saved, as an asset: take, call, return."""

from collections.abc import Callable, Iterator
from typing import Final

import dagster as dg
import polars as pl

from openai_costs.orchestration.table_assets import whole_table_asset
from openai_costs.questions.optimization.batch_or_flex import batch_or_flex
from openai_costs.questions.optimization.cache_reads import cache_reads
from openai_costs.questions.optimization.cheaper_successor import cheaper_successor
from openai_costs.questions.optimization.facts import Facts, Measured, Saving, facts_of
from openai_costs.questions.optimization.long_context import long_context
from openai_costs.questions.optimization.measured import (
    billed_tokens,
    lines,
    paid,
    periods,
    together,
    tokens,
)
from openai_costs.questions.optimization.unused_keys import duplicate, idle
from openai_costs.questions.prices.price_lists import LISTS
from openai_costs.questions.provider_scope import on_bills_of
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck

# All rules on one bill.

RULES: Final[tuple[Callable[[Facts], Iterator[Saving]], ...]] = (
    cache_reads,
    batch_or_flex,
    cheaper_successor,
    idle,
    duplicate,
    long_context,
)


def insights(facts: Facts) -> pl.DataFrame:
    """Return mart.optimization of one bill: the most dollars first."""
    if facts.lines.is_empty():
        return Optimization.no_rows()
    shared = {
        "day": facts.period.last,
        "period_start": facts.period.first,
        "connection": facts.connection,
        "provider": facts.host,
    }
    rows = [shared | saving._asdict() for rule in RULES for saving in rule(facts)]
    found = pl.DataFrame(rows, schema=Optimization.types())
    return found.sort("saving_usd", "rule", "subject", descending=[True, False, False])


GROUP = "optimization"

KINDS = {"polars", "deltalake"}

READS = (Coverage, Spend, Usage, PriceCheck, ApiKeys, Projects)


@whole_table_asset(Optimization, group=GROUP, kinds=KINDS, reads=READS)
def optimization(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> pl.DataFrame:
    """Measure the newest settled days of each connection, a bounded number of rows at a time."""
    days = periods(lake.read(Coverage))
    wanted = days["day"].unique().sort().to_list()
    used = [tokens(on_bills_of(one.frame, LISTS), days) for one in lake.batches(Usage, wanted)]
    billed = []
    for batch in lake.batches(Spend, wanted):
        ours = on_bills_of(batch.frame, LISTS)
        used.append(billed_tokens(ours, days))
        billed.append(lines(ours, days))
    priced = paid(on_bills_of(lake.read(PriceCheck, wanted), LISTS), days)
    directory = (on_bills_of(lake.read(table), LISTS) for table in (ApiKeys, Projects))
    measured = Measured(pl.concat(used), together(billed), priced, *directory)
    return pl.concat([Optimization.no_rows(), *map(insights, facts_of(days, measured))])


WHOLE_ASSETS = (optimization,)
