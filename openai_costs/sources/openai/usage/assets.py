"""The usage of OpenAI's organizations: its raw pages, and how they are read and cleaned."""

from openai_costs.sources.openai.connection import NAME
from openai_costs.sources.openai.usage.endpoints import DATASET
from openai_costs.sources.openai.usage.frames import usage_batches
from openai_costs.sources.openai.usage.source import OpenAIUsage, first_usage_day
from openai_costs.sources.provider import RawPages, UsageSource

USAGE = UsageSource(
    pages=RawPages(
        provider=NAME,
        dataset=DATASET,
        description="Usage pages as OpenAI sent them. Kept and never edited.",
        group="sources/openai/usage",
        reader=OpenAIUsage,
        first_day=first_usage_day,
        is_paced=True,
    ),
    usage=usage_batches,
)
