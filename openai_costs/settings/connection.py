"""`[[connections]]`: what every connection says, and which kind of connection a table is.

Each provider declares its own kind in its folder, with its defaults and whatever it needs besides.
The kinds are handed in: nothing here knows a provider.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.addresses import host_of
from openai_costs.settings.error_location import Objection
from openai_costs.settings.error_texts import close_to, key_fault, objection
from openai_costs.settings.retention import Months
from openai_costs.settings.secrets import (
    SecretCommand,
    SecretEntry,
    SecretFile,
    SecretPlace,
    place_of,
    refuse_two_places,
)
from openai_costs.settings.section import Name, Section, VariableName, web_address

SAMPLE_SCHEME = "sample://"
"""A base_url that begins so is the sample organization, answered in this process."""

KEY = "admin_key"
"""What the settings of the place of a key begin with."""

EARLIEST_START = date(2020, 1, 1)
"""Nothing that is read here was billed before it; a provider's own first day may be later."""

FIRST_DAY_WITHOUT_START = date(2024, 1, 1)
"""Where history begins for a connection without `start`; the provider's own floor may be later."""


class Connection(Section):
    """One organization or account, with the key that reads it."""

    name: Name
    provider: str
    admin_key_env: VariableName
    admin_key_file: SecretFile | None = None
    admin_key_command: SecretCommand | None = None
    admin_key_keyring: SecretEntry | None = None
    access: Literal["full", "costs_only"] = "full"
    organization_id: str | None = None
    start: date | None = Field(default=None, ge=EARLIEST_START)
    base_url: str
    requests_per_minute: int | None = Field(default=None, gt=0)
    retention_months: Months | None = None
    """How long its days are kept; None: as `[retention]` says."""
    _kept_from: date | None = PrivateAttr(default=None)

    has_key: ClassVar[bool] = True
    """Whether a key reads it; files need none."""
    key_remedy: ClassVar[str] = ""
    """How a person gets a key, as a sentence without its end; for messages."""
    variables: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """The variables that settings come from where no file lists a connection."""
    foreign_keys: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What keys begin with that the provider itself never accepts here, and what is wrong."""
    sample_key: ClassVar[str] = ""
    """The key that the sample organization knows."""

    @field_validator("base_url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        return value.rstrip("/") if value.startswith(SAMPLE_SCHEME) else web_address(value)

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        refuse_two_places(self, KEY)
        return self

    @property
    def key_place(self) -> SecretPlace:
        """Where the key is."""
        default = SecretPlace("env", self.admin_key_env, f"{KEY}_env")
        return place_of(self, KEY) or default

    def key_fault(self, key: str) -> str:
        """Return what is wrong with a key, and what to do; empty where nothing is known."""
        if fault := key_fault(key):
            return fault
        usual = self.__class__.model_fields["base_url"].default
        is_vendors = host_of(self.base_url) == host_of(str(usual))
        found = (text for begin, text in self.foreign_keys.items() if key.startswith(begin))
        return next(found, "") if is_vendors else ""

    @classmethod
    def unlisted(cls, _variables: Mapping[str, str]) -> dict[str, Any]:
        """Return the connection there is where no settings file lists one.

        Args:
            _variables: The environment.
        """
        return {"name": cls.default_provider()}

    @classmethod
    def default_provider(cls) -> str:
        """Return the name of the provider that this kind belongs to."""
        return str(cls.model_fields["provider"].default)

    def beside(self, _others: Iterable["Connection"]) -> Self:
        """Return the same connection, which knows what it has to of the others in the settings.

        Args:
            _others: The others.
        """
        return self

    @property
    def source_mark(self) -> Hashable:
        """What no other connection may read, where no key says so; None where there is no such."""
        return None

    @property
    def is_sample(self) -> bool:
        """Whether this is the sample organization, answered in this process."""
        return self.base_url.startswith(SAMPLE_SCHEME)

    @property
    def first_day(self) -> date:
        """The first day that belongs to this connection."""
        return max(self.start or FIRST_DAY_WITHOUT_START, self._kept_from or date.min)

    @property
    def deleted_before(self) -> date | None:
        """The first day that is kept where older ones are deleted; None where none is."""
        return self._kept_from

    def kept_from(self, day: date | None) -> Self:
        """Return the same connection without the days before a day, which are deleted."""
        copy = self.model_copy()
        copy._kept_from = day  # noqa: SLF001 - it is this class
        return copy


Kinds = Sequence[type[Connection]]
"""The kinds of connections there are; the first is that of a table which names no provider."""


class ConnectionRefused(Exception):  # noqa: N818 - carries an objection to the one who knows the file
    """A table of `[[connections]]` that cannot be used."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection.text)
        self.objection = objection


def unlisted_connection(kind: type[Connection], variables: Mapping[str, str]) -> Connection:
    """Return the connection there is where no settings file lists one.

    Args:
        kind: Its kind.
        variables: The environment.

    Raises:
        SettingsError: A variable has a value that we cannot use.
    """
    try:
        return kind.model_validate(kind.unlisted(variables))
    except ValidationError as broken:
        found = objection(broken, kind)
        variable = kind.variables.get(str(found.where[0]), str(found.where[0]))
        raise SettingsError(f"{variable} {found.text}. Correct the variable.") from None


def typed_connections(tables: Sequence[Any], kinds: Kinds) -> list[Any]:
    """Return the tables of `[[connections]]` as connections of their kinds.

    Raises:
        ConnectionRefused: The first table that is none, with the way to what is wrong in it.
    """
    return [_typed(number, table, kinds) for number, table in enumerate(tables)]


def _typed(number: int, table: Any, kinds: Kinds) -> Any:  # noqa: ANN401 - whatever the file holds
    if not isinstance(table, dict):
        return table
    by_name = {one.default_provider(): one for one in kinds}
    named = table.get("provider", next(iter(by_name)))
    where = ("connections", number)
    if not isinstance(named, str) or named not in by_name:
        known = ", ".join(by_name)
        raise ConnectionRefused(
            Objection(
                (*where, "provider"),
                f"is not a known provider{close_to(str(named), by_name) or '.'} "
                f"Known providers: {known}",
            )
        )
    try:
        return by_name[named].model_validate(table)
    except ValidationError as broken:
        first = objection(broken, by_name[named])
        raise ConnectionRefused(first._replace(where=(*where, *first.where))) from None
