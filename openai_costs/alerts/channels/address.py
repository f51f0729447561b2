"""Where a message is sent, with the secrets; made for one message and kept nowhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from openai_costs.alerts.message import Message


@dataclass(frozen=True)
class Address:
    """Where a message is sent.

    Args:
        route: The route's name.
        now: The instant of sending.
        url: The address; it may hold a secret.
        secret: A signing secret or a routing key.
        sender: Who an e-mail is from.
        to: Who an e-mail is for.
    """

    route: str
    now: datetime
    url: SecretStr = field(default=SecretStr(""))
    secret: SecretStr = field(default=SecretStr(""))
    sender: str = field(default="", repr=False)
    to: Sequence[str] = field(default=(), repr=False)


Send = Callable[[Message, Address], str]
