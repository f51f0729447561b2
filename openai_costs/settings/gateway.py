"""`[gateway]`: the LLM gateway, its registry of tokens, its meter, and keys that may bypass it."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Literal, Self

from pydantic import Field, model_validator

from openai_costs.kernel.days import DayRange
from openai_costs.settings.error_texts import SettingRefused, close_to
from openai_costs.settings.secrets import (
    SecretCommand,
    SecretEntry,
    SecretFile,
    SecretPlace,
    place_of,
    refuse_two_places,
)
from openai_costs.settings.section import (
    Columns,
    FileName,
    Name,
    Number,
    Section,
    Shown,
    VariableName,
    WebAddress,
    refuse_unknown_columns,
)

TOKEN_COLUMNS = (
    *("token_id", "name", "status", "team", "owner_id"),
    *("openai_api_key_id", "openai_project_id", "openai_key_hint"),
    *("created_at", "expires_at", "last_used_at"),
)
"""Our columns of a registry file."""
SPEND_COLUMNS = (
    *("day", "token_id", "upstream_provider", "model", "num_model_requests"),
    *("input_tokens", "input_cached_tokens", "input_cache_write_tokens", "output_tokens"),
    "metered_usd",
)
"""Our columns of a meter file."""
REQUEST_COLUMNS = ("is_cache_hit", "request_id", "token_name")
"""Our columns of a meter file that only exports of single requests have."""

_JUDGED_BY = {
    *("name", "upstreams", "models"),
    *("capture_rate_below", "tolerance_pct", "tolerance_usd"),
}
Plain = str | bool | int
Wanted = Plain | tuple[Plain, ...]
"""One value of a column, or several of which a row has one."""
MoneyUnit = Literal["dollars", "cents", "micro_dollars"]
TimeUnit = Literal["auto", "iso", "s", "ms", "us", "ns"]
"""`auto` takes dates and ISO instants, and recognizes the unit of a Unix time by its size."""


class Upstream(Section):
    """An OpenAI key or project that the gateway spends with."""

    connection: Name
    api_key_id: str | None = None
    project_id: str | None = None
    tokens: tuple[str, ...] = ("*",)
    """Which gateway tokens it answers for: ids or aliases, `*` stands for anything."""
    models: tuple[str, ...] = ("*",)
    """Which models it answers for, as the gateway or the provider calls them."""

    @property
    def is_for_any_token(self) -> bool:
        """Whether it answers for every token, listed or not."""
        return "*" in self.tokens

    @property
    def is_for_models(self) -> bool:
        """Whether it names the models that it answers for."""
        return "*" not in self.models

    def fits_token(self, names: Sequence[str]) -> bool:
        """Return whether it answers for a token of these names: its id, its alias, or none."""
        fits = (fnmatchcase(name, pattern) for name in names for pattern in self.tokens)
        return self.is_for_any_token or any(fits)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.api_key_id or self.project_id):
            raise SettingRefused("names neither api_key_id nor project_id: give one of them")
        return self


class AllowedKey(Section):
    """An API key that may bypass the gateway, why, and until when."""

    api_key_id: str = Field(min_length=1)
    reason: Shown = Field(min_length=1)
    until: date
    """The last day on which it is allowed; every exception has an end."""


class Gateway(Section):
    """The LLM gateway: its registry of tokens and its meter."""

    name: Name = "gateway"
    litellm_url: WebAddress | None = None
    key_env: VariableName = "LITELLM_MASTER_KEY"
    key_file: SecretFile | None = None
    key_command: SecretCommand | None = None
    key_keyring: SecretEntry | None = None
    meter: Literal["daily", "requests"] = "daily"
    """LiteLLM: its daily sums, or every request (slower, but separates unpriced requests)."""
    requests_per_minute: int = Field(default=60, gt=0)
    start: date | None = None
    """The first day it was in use; earlier days are neither compared nor called a bypass."""
    token_files: tuple[FileName, ...] = ()
    spend_files: tuple[FileName, ...] = ()
    """Files to read in place of an API: names, patterns (`*`, `?`, `**`) or URLs of them."""
    spend_layout: Literal["columns", "litellm_callback"] = "columns"
    token_columns: Columns = Field(default_factory=dict)
    spend_columns: Columns = Field(default_factory=dict)
    spend_records: str = ""
    """JSON only: the dotted path from a whole object to its list of records."""
    spend_filter: Mapping[str, Wanted] = Field(default_factory=dict)
    """The file's column, and the values that a row must have there; `!` in front excludes one."""
    spend_money_unit: MoneyUnit = "dollars"
    spend_time_unit: TimeUnit = "auto"
    spend_input_excludes_cached: bool = False
    """Whether the file counts cached tokens beside the input tokens instead of among them."""
    spend_zero_when_absent: tuple[str, ...] = ()
    """Our names of counts that the file leaves out where they are 0."""
    spend_cost: Literal["exported", "list_price"] = "exported"
    """Whether the file has dollars, or its tokens are valued at list price."""
    upstreams: tuple[Upstream, ...] = ()
    models: Mapping[str, str] = Field(default_factory=dict)
    """The gateway's own name for a model, and the provider's."""
    allowed: tuple[AllowedKey, ...] = ()
    capture_rate_below: Number = Field(default=Decimal("0.9"), gt=0, le=1)
    """A registered key that was metered for less than this share of its bill is unmetered."""
    tolerance_pct: Number = Field(default=Decimal("0.5"), ge=0, le=5)
    tolerance_usd: Number = Field(default=Decimal("0.01"), ge=0)
    """A gap up to the larger of the two is ignored."""

    @model_validator(mode="after")
    def _names_known_columns(self) -> Self:
        known = (*SPEND_COLUMNS, *REQUEST_COLUMNS)
        refuse_unknown_columns(self.token_columns, TOKEN_COLUMNS, "token_columns")
        refuse_unknown_columns(self.spend_columns, known, "spend_columns")
        return self

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        refuse_two_places(self, "key")
        return self

    @property
    def key_place(self) -> SecretPlace:
        """Where its key is."""
        return place_of(self, "key") or SecretPlace("env", self.key_env, "key_env")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.litellm_url and self.spend_files:
            raise SettingRefused(
                "has both litellm_url and spend_files: dollars would count twice; keep one"
            )
        return self

    def refuse_strangers(self, connections: AbstractSet[str]) -> None:
        """Refuse an upstream of an unknown connection, and a name that is already taken.

        Raises:
            SettingRefused: Either of the two.
        """
        for number, upstream in enumerate(self.upstreams):
            if (name := upstream.connection) not in connections:
                hint = close_to(name, connections) or "."
                raise SettingRefused(
                    f"names {name!r}, which is not in [[connections]]{hint} "
                    f"There are: {', '.join(sorted(connections))}",
                    ("gateway", "upstreams", number, "connection"),
                )
        if self.name in connections:
            raise SettingRefused(
                f"{self.name!r} is the name of a connection too: rename one", ("gateway", "name")
            )

    @property
    def judged_by(self) -> str:
        """A digest of what bill and meter are compared by: another one judges every day otherwise.

        Not of its start and its exceptions: the rows of a day show whether they follow those.
        """
        text = self.model_dump_json(include=_JUDGED_BY)
        return sha256(f"{text}{self.has_registry}".encode()).hexdigest()[:12]

    @property
    def has_registry(self) -> bool:
        """Whether there is a list of tokens to read; else the settings are the registry."""
        return bool(self.litellm_url or self.token_files)

    @property
    def has_meter(self) -> bool:
        """Whether there is a meter to read."""
        return bool(self.litellm_url or self.spend_files)

    @property
    def is_there(self) -> bool:
        """Whether any part of a gateway is configured."""
        return bool(self.litellm_url or self.spend_files or self.token_files or self.upstreams)


def days_in_use(gateway: Gateway, asked: DayRange) -> DayRange | None:
    """Return the days on which there was a gateway; None when there was none on any."""
    first = max(asked.first, gateway.start or asked.first)
    return DayRange(first, asked.last) if gateway.is_there and first <= asked.last else None
