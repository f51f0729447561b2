"""The sections of `openai_costs.toml` as typed models.

Reads nothing: settings.py fills them in. Not here: connections and their keys (settings.py).
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def web_address(value: str) -> str:
    """Return the address of an API without its last slash.

    Raises:
        ValueError: It holds a secret, or would carry one in clear text.
    """
    address = TypeAdapter(HttpUrl).validate_python(value)
    if address.username or address.password:
        raise ValueError("holds a user name or password; keys belong in the environment")
    if address.scheme != "https" and address.host not in _LOOPBACK:
        raise ValueError("is not https: the key would travel in clear text")
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(web_address)]
Columns = Mapping[str, str]
"""Our name of a column, and the name it has in somebody's file."""


class Section(BaseModel):
    """What every section keeps: no unknown name, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(Section):
    """How the provider's APIs are read."""

    trailing_days: int = Field(default=7, ge=1, le=90)
    """How many days a daily refresh reads again, because closed days are restated."""
    settle_hours: int = Field(default=24, ge=0, le=24 * 14)
    """How long after its end a day stays provisional."""
    max_body_mb: int = Field(default=64, ge=1, le=2048)
    """The largest answer taken into memory; a larger one makes the window shrink."""

    @property
    def grace(self) -> timedelta:
        """How long after its end a day stays provisional."""
        return timedelta(hours=self.settle_hours)


class Team(Section):
    """A team, and what belongs to it. A key says more than a user, a user more than a project."""

    name: str = Field(min_length=1)
    api_keys: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


class Upstream(Section):
    """An OpenAI key or project that the gateway spends with."""

    connection: Name
    api_key_id: str | None = None
    project_id: str | None = None
    tokens: tuple[str, ...] = ("*",)
    """Which gateway tokens it answers for: ids or aliases, `*` stands for anything."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.api_key_id or self.project_id):
            raise ValueError("names neither api_key_id nor project_id: give one of them")
        return self


class AllowedKey(Section):
    """An API key that may go round the gateway, why, and until when."""

    api_key_id: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    until: date
    """The last day it is allowed on: an exception without an end is a rule."""


class Gateway(Section):
    """The LLM gateway: its registry of tokens and its meter."""

    name: Name = "gateway"
    litellm_url: WebAddress | None = None
    key_env: VariableName = "LITELLM_MASTER_KEY"
    meter: Literal["daily", "requests"] = "daily"
    """LiteLLM: its daily sums, or every request (slower, and tells unpriced requests apart)."""
    requests_per_minute: int = Field(default=60, gt=0)
    start: date | None = None
    """The first day it was in use; before it nothing is compared or called a bypass."""
    token_files: tuple[str, ...] = ()
    spend_files: tuple[str, ...] = ()
    """Files to read in place of an API: CSV, Parquet or JSONL; `*` in a name is allowed."""
    spend_layout: Literal["columns", "litellm_callback"] = "columns"
    token_columns: Columns = {}
    spend_columns: Columns = {}
    upstreams: tuple[Upstream, ...] = ()
    models: Mapping[str, str] = {}
    """The gateway's own name of a model, and the provider's."""
    allowed: tuple[AllowedKey, ...] = ()
    capture_rate_below: Decimal = Field(default=Decimal("0.9"), gt=0, le=1)
    """A registered key that was metered for less than this share of its bill is unmetered."""
    tolerance_pct: Decimal = Field(default=Decimal("0.5"), ge=0, le=5)
    tolerance_usd: Decimal = Field(default=Decimal("0.01"), ge=0)
    """A gap up to the larger of the two is no gap."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.litellm_url and self.spend_files:
            raise ValueError("has litellm_url and spend_files: the same dollars twice; keep one")
        return self

    def refuse_strangers(self, connections: AbstractSet[str]) -> None:
        """Refuse an upstream at a connection that is not there, and a name that is taken.

        Raises:
            ValueError: One of the two.
        """
        for upstream in self.upstreams:
            if upstream.connection not in connections:
                raise ValueError(f"gateway.upstreams: there is no connection {upstream.connection}")
        if self.name in connections:
            raise ValueError(f"gateway.name: {self.name} is a connection; rename one")

    @property
    def is_there(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.litellm_url or self.spend_files or self.token_files or self.upstreams)


class Directory(Section):
    """Where the company's own list of people is, and how an address finds its person."""

    files: tuple[str, ...] = ()
    """Backstage YAML, CSV, SCIM JSON or a Google Workspace export; `*` is allowed."""
    columns: Columns = {}
    """For CSV: our name of a column, and the file's."""
    domain_aliases: Mapping[str, str] = {}
    """A mail domain, and the domain it is the same as."""
    ignore_plus_tags: bool = False
    service_accounts: tuple[str, ...] = ()
    """Addresses or user ids that are robots; `*` is allowed."""
    largest_drop_pct: Decimal = Field(default=Decimal(50), gt=0, le=100)
    """A directory that lost this share of its people since the last read is not believed."""


class Seats(Section):
    """What a seat costs, by contract, and when it is idle."""

    month_usd: Decimal | None = Field(default=None, ge=0)
    """Contract price of one seat for a month."""
    month_usd_by_role: Mapping[str, Decimal] = {}
    idle_after_days: int = Field(default=30, ge=1, le=366)
    subscription_labels: tuple[str, ...] = ("seat", "subscription", "chatgpt")
    """Words in a line item that make it a seat's; the Costs API has no such lines today."""
