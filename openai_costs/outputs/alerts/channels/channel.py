"""Where a message is sent, with the secrets; made for one message and kept nowhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.outputs.alerts.message import Message


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

# What a channel raises when it did not take a message.


class DeliveryFailed(OpenAICostsError):  # noqa: N818
    """A channel did not take a message.

    Args:
        said: What happened; holds no address and no secret.
        is_retryable: Whether the same message may go through later.
        may_have_arrived: Whether it is unknown if the message arrived.
    """

    def __init__(
        self, said: str, *, is_retryable: bool = False, may_have_arrived: bool = False
    ) -> None:
        super().__init__(said)
        self.is_retryable, self.may_have_arrived = is_retryable, may_have_arrived
