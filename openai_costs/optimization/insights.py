"""All rules on one connection. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from openai_costs.optimization.batch_or_flex import batch_or_flex
from openai_costs.optimization.cache_reads import cache_reads
from openai_costs.optimization.cheaper_successor import cheaper_successor
from openai_costs.optimization.facts import Facts, Saving
from openai_costs.optimization.forgotten import duplicate, idle
from openai_costs.optimization.long_context import long_context
from openai_costs.tables.mart.optimization import Optimization

RULES: Final[tuple[Callable[[Facts], Iterator[Saving]], ...]] = (
    cache_reads,
    batch_or_flex,
    cheaper_successor,
    idle,
    duplicate,
    long_context,
)


def insights(facts: Facts) -> pl.DataFrame:
    """Return mart.optimization of one connection: the most dollars first."""
    if facts.lines.is_empty():
        return Optimization.no_rows()
    shared = {
        "day": facts.period.last,
        "period_start": facts.period.first,
        "connection": facts.connection,
        "provider": facts.provider,
    }
    rows = [shared | saving._asdict() for rule in RULES for saving in rule(facts)]
    found = pl.DataFrame(rows, schema=Optimization.types())
    return found.sort("saving_usd", "rule", "subject", descending=[True, False, False])
