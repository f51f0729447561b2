"""The base of every section of the settings file, and the types that several of them share."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
)

from openai_costs.kernel.hosts import is_loopback
from openai_costs.kernel.redaction import has_address

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def web_address(value: str) -> str:
    """Return the address of an API without its last slash.

    Raises:
        ValueError: It contains a secret, or would send one in clear text.
    """
    address = TypeAdapter(HttpUrl).validate_python(value)
    if address.username or address.password:
        raise ValueError("contains a user name or password; keys belong in the environment")
    if address.scheme != "https" and not is_loopback(address.host):
        raise ValueError("is not https: the key would travel in clear text")
    return value.rstrip("/")


def no_address(value: str) -> str:
    """Return a name or an id.

    Raises:
        ValueError: It is empty, or an e-mail address, which is personal data and not an id.
    """
    if has_address(value):
        raise ValueError("is an e-mail address; write a name, or the id as on the bill")
    if not value.strip():
        raise ValueError("is empty; write a name or an id, or leave it out")
    return value


NoAddress = Annotated[str, AfterValidator(no_address)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Columns = Mapping[str, str]
"""Our name of a column, and its name in the file."""


def refuse_unknown_columns(columns: Columns, known: Collection[str], setting: str) -> None:
    """Refuse a map of columns with a name that is none of ours: it would be ignored.

    Args:
        columns: Our name of a column, and its name in the file.
        known: Our names.
        setting: Where the map stands, for the message.

    Raises:
        ValueError: Names the unknown name, the closest one, and those there are.
    """
    for name in columns:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            names = ", ".join(sorted(known))
            raise ValueError(f"{setting}: {name!r} is not a column{hint} The columns are: {names}")


class Section(BaseModel):
    """A section: unknown names are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
