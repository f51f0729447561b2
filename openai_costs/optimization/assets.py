"""What could be saved, as an asset: take, call, return."""

import dagster as dg
import polars as pl

from openai_costs.contracts import whole_table_asset
from openai_costs.lake import Lake
from openai_costs.optimization.facts import Measured, facts_of
from openai_costs.optimization.insights import insights
from openai_costs.optimization.measured import lines, paid, periods, together, tokens
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck

GROUP = "optimization"
KINDS = {"polars", "parquet"}


READS = (Coverage, Spend, Usage, PriceCheck, ApiKeys, Projects)


@whole_table_asset(Optimization, group=GROUP, kinds=KINDS, reads=READS)
def optimization(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> pl.DataFrame:
    """Measure the newest settled days of each connection, a bounded number of rows at a time."""
    days = periods(lake.read(Coverage))
    wanted = days["day"].unique().sort().to_list()
    used = pl.concat([tokens(batch.frame, days) for batch in lake.batches(Usage, wanted)])
    billed = together([lines(batch.frame, days) for batch in lake.batches(Spend, wanted)])
    priced = paid(lake.read(PriceCheck, wanted), days)
    measured = Measured(used, billed, priced, lake.read(ApiKeys), lake.read(Projects))
    return pl.concat([Optimization.no_rows(), *map(insights, facts_of(days, measured))])


WHOLE_ASSETS = (optimization,)
