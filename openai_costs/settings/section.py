"""The base of every section of the settings file, and the types that several of them share."""

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, get_args

import httpx
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from openai_costs.kernel.redaction import USER_BEFORE_HOST, has_address, without_secrets
from openai_costs.settings.addresses import address_fault
from openai_costs.settings.error_location import Where
from openai_costs.settings.error_texts import DECIMAL, NUMBER, SettingRefused, close_to


def written_as(pattern: str, otherwise: str) -> AfterValidator:
    """Return a validator of text.

    Args:
        pattern: What the whole text must match.
        otherwise: What is wrong with any other text, as a predicate; never the text itself.
    """
    written = re.compile(pattern)

    def validated(value: str) -> str:
        if not written.fullmatch(value):
            raise SettingRefused(otherwise)
        return value

    return AfterValidator(validated)


NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
"""What a connection may be called: it is the name of folders too."""
Name = Annotated[
    str,
    written_as(
        NAME,
        "may have lower-case letters, digits, - and _ only, 63 at most, and begins with a letter "
        "or a digit",
    ),
]
VariableName = Annotated[
    str,
    written_as(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "must be the name of an environment variable, such as ACME_KEY, and not its value: export "
        "the value, and delete it here",
    ),
]


_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[0-9.eE+-]+")


def _without_signs(value: object) -> object:
    """Refuse a text that Python takes for a number and a person may not: 1_000, other digits."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise SettingRefused(DECIMAL)
    return value


Number = Annotated[Decimal, BeforeValidator(_without_signs), Field(le=10**12)]
"""A decimal number, with or without quotes: of dollars, percent or times. No setting is of more
than a trillion: one that says so is a mistake, and the tables have no room for what it is of."""


def web_address(value: str) -> str:
    """Return the address of an API without its last slash, as it is connected to.

    Raises:
        ValueError: It contains a secret, would send one in clear text, or may be read in two ways.
    """
    if fault := address_fault(value):
        raise SettingRefused(fault)
    return str(httpx.URL(value)).rstrip("/")


def no_address(value: str) -> str:
    """Return a name or an id.

    Raises:
        ValueError: It is empty, or an e-mail address, which is personal data and not an id.
    """
    if has_address(value):
        raise SettingRefused("is an e-mail address; write a name, or the id as on the bill")
    if not value.strip():
        raise SettingRefused("is empty; write a name or an id, or leave it out")
    return value


_SIGNED = re.compile(rf"{USER_BEFORE_HOST}|[?&](sig|X-Amz-[A-Za-z]+)=")


def file_name(value: str) -> str:
    """Return the name of a file: a path, a folder, a pattern, or the URL of one.

    Raises:
        ValueError: It is empty, or has a secret that its object store would be reached with.
    """
    if not value.strip():
        raise SettingRefused("has an empty name: write a file, a folder, a pattern or a URL")
    if _SIGNED.search(value):
        raise SettingRefused(
            "contains a password or a signature: leave it out, and give this process the right to "
            "read the store"
        )
    return value


Shown = Annotated[str, AfterValidator(without_secrets)]
"""Words of a person that tables show: of a key in them, what kind it was."""
FileName = Annotated[str, AfterValidator(file_name)]
NoAddress = Annotated[str, AfterValidator(no_address)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Columns = Mapping[str, str]
"""Our name of a column, and its name in the file."""


def refuse_unknown_columns(columns: Columns, known: Collection[str], setting: str) -> None:
    """Refuse a map of columns with a name that is none of ours: it would be ignored.

    Args:
        columns: Our name of a column, and its name in the file.
        known: Our names.
        setting: The setting that has the map.

    Raises:
        SettingRefused: Names the unknown name, the closest one, and those there are.
    """
    for name in columns:
        if name not in known:
            hint = close_to(name, known) or "."
            names = ", ".join(sorted(known))
            raise SettingRefused(
                f"has {name!r}, which is not a column{hint} The columns are: {names}", (setting,)
            )


def refuse_twins(names: Sequence[str], where: Where, what: str, root: Where = ()) -> None:
    """Refuse a name that two sections of a kind have.

    Args:
        names: The names, in the order of the sections.
        where: The way to the sections, from the section that asks.
        what: What they are, in the singular: "route".
        root: The way to the section that asks.

    Raises:
        SettingRefused: Names the second section that has a name, and the first.
    """
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if first.setdefault(name, number) != number:
            raise SettingRefused(
                f"{name!r} is the name of another {what} too: rename one",
                (*where, number, "name"),
                (*root, *where, first[name], "name"),
            )


class Section(BaseModel):
    """A section: unknown names are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_a_whole_number_where_one_belongs(cls, value: Any, about: ValidationInfo) -> Any:  # noqa: ANN401 - whatever the file holds
        """Refuse what would be taken for a whole number: true for 1, the text 1_000 for 1000."""
        wanted = cls.model_fields[str(about.field_name)].annotation
        kinds = get_args(wanted) or (wanted,)
        if int in kinds and bool not in kinds:
            is_text = isinstance(value, str)
            if isinstance(value, bool) or (is_text and not _WHOLE.fullmatch(value)):
                raise SettingRefused(NUMBER)
        return value
