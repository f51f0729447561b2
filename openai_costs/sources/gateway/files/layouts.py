"""Which column of somebody's file is which of ours, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from openai_costs.settings.gateway import SPEND_COLUMNS, TOKEN_COLUMNS

NAME = "gateway_files"
REGISTRY = "registry"
METER = "meter"


@dataclass(frozen=True)
class Layout:
    """The columns of a kind of file.

    Args:
        columns: Our name of a column, and the file's.
        needed: Ours that must be there.
        zero_when_absent: Ours that are 0 where the file leaves them out, because it always counts.
        own_answer: The file's column that says the gateway answered from its own cache.
        section: Where settings name the columns, for messages.
    """

    columns: Mapping[str, str]
    needed: tuple[str, ...]
    zero_when_absent: tuple[str, ...] = ()
    own_answer: str | None = None
    section: str = "spend_columns"

    def with_columns(self, said: Mapping[str, str]) -> "Layout":
        """Return the layout with the columns that settings name."""
        return Layout(
            {**self.columns, **said},
            self.needed,
            self.zero_when_absent,
            self.own_answer,
            self.section,
        )


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


METERED = Layout(
    columns=_same(*SPEND_COLUMNS),
    needed=("day", "token_id", "model", "metered_usd"),
)

_USAGE = "metadata.usage_object"
LITELLM_CALLBACK = Layout(
    columns={
        "day": "startTime",
        "token_id": "metadata.user_api_key_hash",
        "upstream_provider": "custom_llm_provider",
        "model": "model",
        "input_tokens": "prompt_tokens",
        "input_cached_tokens": f"{_USAGE}.prompt_tokens_details.cached_tokens",
        "input_cache_write_tokens": f"{_USAGE}.cache_creation_input_tokens",
        "output_tokens": "completion_tokens",
        "metered_usd": "response_cost",
    },
    needed=("day", "model", "metered_usd"),
    zero_when_absent=("input_cached_tokens", "input_cache_write_tokens"),
    own_answer="cache_hit",
)
"""https://docs.litellm.ai/docs/proxy/logging_spec: one line per request, with its prompt; of which
nothing but these columns is read or kept."""

TOKENS = Layout(
    columns=_same(*TOKEN_COLUMNS),
    needed=("token_id",),
    section="token_columns",
)

LAYOUTS: Mapping[str, Layout] = {"columns": METERED, "litellm_callback": LITELLM_CALLBACK}
