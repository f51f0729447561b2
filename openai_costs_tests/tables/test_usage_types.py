"""What was used has one vocabulary, whichever provider billed it."""

from openai_costs.sources.anthropic.costs.pages import COST_TYPES, TOKEN_TYPES
from openai_costs.sources.openai.costs import line_items
from openai_costs.tables.usage_types import USAGE_TYPES


def test_every_usage_type_of_every_provider_is_in_the_vocabulary_and_no_other():
    openai = {*line_items._SIDES.values(), *dict(line_items._TOOLS).values()}  # noqa: SLF001
    assert openai | {*TOKEN_TYPES.values(), *COST_TYPES.values()} == USAGE_TYPES.keys()


def test_every_kind_of_cache_write_is_a_usage_type_that_says_for_how_long():
    written = {name for name in USAGE_TYPES if name.startswith("cache_write")}
    assert written == {"cache_write", "cache_write_5m", "cache_write_1h"}
