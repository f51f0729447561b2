"""What all channels share: the address, the failure, and why a connection failed."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.outputs.alerts.message import Message


@dataclass(frozen=True)
class Address:
    """Where a message is sent, with the secrets; made for one message and kept nowhere.

    Args:
        route: The route's name.
        now: The instant of sending.
        url: The address; it may hold a secret.
        secret: A signing secret or a routing key.
        sender: The sender of an e-mail.
        to: The recipients of an e-mail.
        headers: More headers of a webhook.
        body_template: The body of a webhook, as a Jinja template; empty for our own.
    """

    route: str
    now: datetime
    url: SecretStr = field(default=SecretStr(""))
    secret: SecretStr = field(default=SecretStr(""))
    sender: str = field(default="", repr=False)
    to: Sequence[str] = field(default=(), repr=False)
    headers: Mapping[str, SecretStr] = field(default_factory=dict)
    body_template: str = ""


Send = Callable[[Message, Address], str]


class DeliveryFailed(OpenAICostsError):  # noqa: N818
    """A channel did not accept a message.

    Args:
        reason: What happened; holds no address and no secret.
        is_retryable: Whether the same message may go through later.
        may_have_arrived: Whether it is unknown if the message arrived.
    """

    def __init__(
        self, reason: str, *, is_retryable: bool = False, may_have_arrived: bool = False
    ) -> None:
        super().__init__(reason)
        self.is_retryable, self.may_have_arrived = is_retryable, may_have_arrived


def connection_problem(error: BaseException) -> str:
    """Return why a connection to a server failed, as the end of a sentence about that server."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS on this port"
        if isinstance(cause, socket.gaierror):
            return "its name cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "it refuses connections on this port"
        if isinstance(cause, TimeoutError):
            return "it did not answer in time"
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and the errors behind it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
