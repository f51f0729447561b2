"""The usage of Anthropic's organizations: its raw pages, and how they are read and cleaned."""

from openai_costs.sources.anthropic.connection import NAME
from openai_costs.sources.anthropic.usage.endpoints import DATASET
from openai_costs.sources.anthropic.usage.frames import usage_batches
from openai_costs.sources.anthropic.usage.source import AnthropicUsage, first_usage_day
from openai_costs.sources.provider import RawPages, UsageSource

USAGE = UsageSource(
    pages=RawPages(
        provider=NAME,
        dataset=DATASET,
        description="Usage pages as Anthropic sent them. Kept and never edited.",
        group="sources/anthropic/usage",
        reader=AnthropicUsage,
        first_day=first_usage_day,
        is_paced=True,
    ),
    usage=usage_batches,
)
