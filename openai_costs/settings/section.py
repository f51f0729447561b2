"""What every section of the settings file keeps, and the words that several of them use."""

from collections.abc import Mapping
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
        ValueError: It holds a secret, or would carry one in clear text.
    """
    address = TypeAdapter(HttpUrl).validate_python(value)
    if address.username or address.password:
        raise ValueError("holds a user name or password; keys belong in the environment")
    if address.scheme != "https" and not is_loopback(address.host):
        raise ValueError("is not https: the key would travel in clear text")
    return value.rstrip("/")


def no_address(value: str) -> str:
    """Return a name or an id.

    Raises:
        ValueError: It is an e-mail address, which is personal data and no id, or nothing at all.
    """
    if has_address(value):
        raise ValueError("is an e-mail address; write a name, or the id that the bill has")
    if not value.strip():
        raise ValueError("is empty; write a name or an id, or leave it out")
    return value


NoAddress = Annotated[str, AfterValidator(no_address)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Columns = Mapping[str, str]
"""Our name of a column, and the name it has in somebody's file."""


class Section(BaseModel):
    """What every section keeps: no unknown name, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
