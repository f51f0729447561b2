"""Which column of a gateway's file is which of ours, and in which units, as data. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings import Gateway
from openai_costs.settings.gateway import REQUEST_COLUMNS, SPEND_COLUMNS, TOKEN_COLUMNS

NAME = "gateway_files"
REGISTRY = "registry"
METER = "meter"

CACHE_HIT = "is_cache_hit"
REQUEST_ID = "request_id"
REQUESTS = "num_model_requests"
INPUT = "input_tokens"
CACHED = "input_cached_tokens"
WRITTEN = "input_cache_write_tokens"
DOLLARS = "metered_usd"
COST_BASIS = "cost_basis"
AT_LIST_PRICE = "estimated"
"""What a row has in COST_BASIS whose tokens are valued at list price."""


@dataclass(frozen=True)
class Layout:
    """The columns of a kind of file.

    Args:
        columns: Our name of a column, and the file's; of several, added up: `input + cached`.
        needed: Ours that the file must have as a column; a cell of it may be empty.
        filled: Ours that every row must say something in.
        zero_when_absent: Ours that are 0 where a row leaves them out.
        named: Ours whose column the settings name.
        section: Where settings name the columns, for messages.
        records: The dotted path from a JSON object to its list of records.
        wanted: The file's column, and the values of which a row must have one there.
        unwanted: The file's column, and the values of which a row may have none there.
        usd_parts: How many of the file's units of money make a dollar.
        time_unit: What an instant is written in.
        is_input_beside_cache: Whether cached tokens are counted beside the input tokens.
        is_per_request: Whether each row is one request.
        is_id_unique: Whether a request id stands for one row, so that the last one of it counts.
        is_at_list_price: Whether tokens are valued at list price because there are no dollars.
    """

    columns: Mapping[str, str]
    needed: tuple[str, ...]
    filled: tuple[str, ...]
    zero_when_absent: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    section: str = "spend_columns"
    records: str = ""
    wanted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unwanted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    usd_parts: int = 1
    time_unit: str = "auto"
    is_input_beside_cache: bool = False
    is_per_request: bool = False
    is_id_unique: bool = True
    is_at_list_price: bool = False

    def with_columns(self, named: Mapping[str, str]) -> "Layout":
        """Return the layout with the columns that settings name.

        Raises:
            SettingsError: They name a column that is none of ours.
        """
        if strange := sorted(named.keys() - self.columns.keys()):
            raise SettingsError(
                f"[gateway] {self.section} names {', '.join(strange)}, which is none of the "
                f"columns there are: {', '.join(sorted(self.columns))}. Correct the name."
            )
        return replace(self, columns={**self.columns, **named}, named=self.named | frozenset(named))


def parts(theirs: str) -> list[str]:
    """Return the file's columns that make one of ours: `input + cached` is the sum of two."""
    return theirs.split(" + ")


def _same(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}


METERED = Layout(
    columns=_same((*SPEND_COLUMNS, *REQUEST_COLUMNS)),
    needed=("day", "token_id", "model", DOLLARS),
    filled=("day",),
)

_USAGE = "metadata.usage_object"
LITELLM_CALLBACK = Layout(
    columns={
        "day": "startTime",
        "token_id": "metadata.user_api_key_hash",
        "token_name": "metadata.user_api_key_alias",
        "upstream_provider": "custom_llm_provider",
        "model": "model",
        INPUT: "prompt_tokens",
        CACHED: f"{_USAGE}.prompt_tokens_details.cached_tokens",
        WRITTEN: f"{_USAGE}.cache_creation_input_tokens",
        "output_tokens": "completion_tokens",
        DOLLARS: "response_cost",
        CACHE_HIT: "cache_hit",
        REQUEST_ID: "id",
    },
    needed=("day", "model", DOLLARS),
    filled=("day",),
    zero_when_absent=(CACHED, WRITTEN),
    is_per_request=True,
    is_id_unique=False,
)
"""https://docs.litellm.ai/docs/proxy/logging_spec: one line per request, with its prompt; of which
nothing but these columns is read or kept. A retry has the id of the try before it, so only lines
that are equal in every column are the same request."""

TOKENS = Layout(
    columns=_same(TOKEN_COLUMNS),
    needed=("token_id",),
    filled=("token_id",),
    section="token_columns",
)

LAYOUTS: Mapping[str, Layout] = {"columns": METERED, "litellm_callback": LITELLM_CALLBACK}
_USD_PARTS = {"dollars": 1, "cents": 100, "micro_dollars": 1_000_000}


def registry_layout(gateway: Gateway) -> Layout:
    """Return how the registry files of the settings are laid out.

    Raises:
        SettingsError: The settings name a column that is none of ours.
    """
    return TOKENS.with_columns(gateway.token_columns)


def meter_layout(gateway: Gateway) -> Layout:
    """Return how the meter files of the settings are laid out.

    Raises:
        SettingsError: The settings name a column that is none of ours.
    """
    plain = LAYOUTS[gateway.spend_layout].with_columns(gateway.spend_columns)
    is_at_list_price = gateway.spend_cost == "list_price"
    wanted, unwanted = _filters(gateway)
    return replace(
        plain,
        needed=tuple(one for one in plain.needed if not (is_at_list_price and one == DOLLARS)),
        zero_when_absent=(*plain.zero_when_absent, *gateway.spend_zero_when_absent),
        records=gateway.spend_records,
        wanted=wanted,
        unwanted=unwanted,
        usd_parts=_USD_PARTS[gateway.spend_money_unit],
        time_unit=gateway.spend_time_unit,
        is_input_beside_cache=gateway.spend_input_excludes_cached,
        is_at_list_price=is_at_list_price,
    )


def _filters(gateway: Gateway) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Return the values that a row must have, and those it may not have, by the file's column."""
    wanted, unwanted = {}, {}
    for column, values in gateway.spend_filter.items():
        every = values if isinstance(values, tuple) else (values,)
        texts = [str(one).casefold() for one in every]
        wanted[column] = _set(one for one in texts if not one.startswith("!"))
        unwanted[column] = _set(one[1:] for one in texts if one.startswith("!"))
    return wanted, unwanted


def _set(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(texts)
