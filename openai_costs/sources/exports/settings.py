"""What settings say of a connection that reads files: which ones, and what a currency is worth."""

import hashlib
import re
from collections.abc import Hashable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings.connection import Connection
from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.secrets import SecretPlace
from openai_costs.settings.secrets_in_use import secret
from openai_costs.settings.section import FileName, Number, VariableName, written_as
from openai_costs.sources.exports.currency import CODE, IN_FILE, Currency
from openai_costs.sources.user_files import NO_OPTIONS

MONTH = r"\d{4}-(0[1-9]|1[0-2])"
ANY_MONTH = "2000-01"
LEAST_RATE, MOST_RATE = Decimal("0.000000000001"), Decimal(1_000_000)
"""Dollars for one unit of any currency, with room: another rate is mistyped."""
RATE = (
    'must be dollars for one unit ("1.08"), one for each month ({ "2026-11" = "1.08" }), or '
    f'"{IN_FILE}": from {LEAST_RATE:f} to {MOST_RATE:,} dollars'
)

RULES = ("files", "select", "host", "currency", "usd_per_unit", "settled_after_days")
"""What decides which rows of the files count, and how many dollars they are."""

Month = Annotated[str, written_as(MONTH, "must be a month: 2026-11")]
Code = Annotated[str, written_as(CODE, "must be the code of a currency: EUR")]
Host = Annotated[str, written_as(r"[a-z0-9][a-z0-9_-]{0,62}", "must be in lower-case letters: aws")]
Units = Annotated[Number, Field(ge=LEAST_RATE, le=MOST_RATE)]
_UNITS = TypeAdapter(Units)


class ExportConnection(Connection):
    """One or several exports of a bill; no key, because files are not an API."""

    admin_key_env: VariableName = "OPENAI_COSTS_NO_KEY"
    base_url: str = ""
    files: tuple[FileName, ...] = Field(min_length=1)
    host: Host | None = None
    currency: Code | None = None
    usd_per_unit: Units | Mapping[Month, Units] | Literal["x_BilledCostInUsd"] | None = None
    store_options_env: VariableName | None = None
    """The variable with what reaches the object store of `files`, where it is not that of the home:
    JSON in the words of fsspec."""
    settled_after_days: int | None = Field(default=None, ge=1, le=31)
    """After how many days from its end a day is settled; None for the rule of who invoices."""

    has_key: ClassVar[bool] = False

    @field_validator("files", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return [value] if isinstance(value, str) else value

    @field_validator("usd_per_unit", mode="before")
    @classmethod
    def _is_a_rate(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        rates = value if isinstance(value, Mapping) else {ANY_MONTH: value}
        is_month = all(re.fullmatch(MONTH, str(one)) for one in rates)
        if value in (None, IN_FILE) or (is_month and all(map(_is_rate, rates.values()))):
            return value
        raise SettingRefused(RATE)

    @model_validator(mode="after")
    def _names_the_currency(self) -> "ExportConnection":
        if self.usd_per_unit is not None and self.currency is None:
            raise SettingRefused("needs `currency`: the currency that it is for", ("usd_per_unit",))
        return self

    @property
    def source_mark(self) -> Hashable:
        """The files: two connections that read the same ones would count them twice."""
        return tuple(sorted(self.files))


def _is_rate(value: object) -> bool:
    """Return whether a value is a rate, written as a number or as text."""
    try:
        _UNITS.validate_python(value)
    except ValidationError:
        return False
    return True


def files_of(connection: Connection) -> tuple[str, ...]:
    """Return the names and patterns that a connection reads."""
    return connection.files if isinstance(connection, ExportConnection) else ()


def rules_text(connection: Connection) -> str:
    """Return what settings say of a connection's rows, as one text to compare with another's."""
    texts = (f"{name}={getattr(connection, name, None)!r}" for name in RULES)
    return hashlib.sha256(" ".join(texts).encode()).hexdigest()[:16]


def store_options(connection: Connection) -> Mapping[str, Any]:
    """Return how the object store of a connection's files is reached, read now.

    Nothing where the settings name no variable: the environment of this process decides then.

    Raises:
        SettingsError: The variable is not set, or holds no JSON object.
    """
    if not isinstance(connection, ExportConnection) or connection.store_options_env is None:
        return NO_OPTIONS
    place = SecretPlace("env", connection.store_options_env, "store_options_env")
    asks = f"{place.setting} of connection {connection.name!r}"
    try:
        text = secret(place, asks).get_secret_value()
        return msgspec.json.decode(text, type=dict[str, Any])
    except UNREADABLE:
        raise SettingsError(
            f"{asks}: {place} holds no JSON object. Write the options of fsspec, as in "
            '{"key": "...", "secret": "..."}.'
        ) from None


def host_of(connection: Connection) -> str | None:
    """Return who invoices, where the settings say so for the whole connection."""
    return connection.host if isinstance(connection, ExportConnection) else None


def settled_after(connection: Connection) -> int | None:
    """Return after how many days a day is settled; None for the rule of who invoices."""
    return connection.settled_after_days if isinstance(connection, ExportConnection) else None


def currency_of(connection: Connection) -> Currency:
    """Return what becomes of a connection's amounts that are not in dollars."""
    if not isinstance(connection, ExportConnection):
        return Currency(None, None)
    return Currency(connection.currency, connection.usd_per_unit)
