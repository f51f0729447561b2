"""Every other channel, through the library apprise: `pip install openai_costs[apprise]`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.channels.http import quoted
from openai_costs.outputs.alerts.message import Message

KINDS = {"critical": "failure", "warning": "warning", "info": "info"}
INSTALL = "apprise is not installed: pip install 'openai_costs[apprise]'"


def send(message: Message, address: Address) -> str:
    """Hand a message to apprise.

    Raises:
        DeliveryFailed: Apprise is not installed, or did not deliver; with the reason it logged.
    """
    if not is_installed():
        raise DeliveryFailed(INSTALL, is_retryable=True)
    library = import_module("apprise")
    kind = "success" if message.kind == "closed" else KINDS[message.severity]
    body = message.text.partition("\n")[2]
    with _logged() as reasons:
        notifier = library.Apprise()
        if not notifier.add(address.url.get_secret_value()):
            raise DeliveryFailed("apprise does not support the address", is_retryable=True)
        if notifier.notify(title=message.title, body=body, notify_type=kind, body_format="text"):
            return ""
    logged = quoted(address, " ".join(reasons)) or "it logged no reason"
    raise DeliveryFailed(f"apprise did not deliver the message: {logged}", is_retryable=True)


def is_installed() -> bool:
    """Return whether the optional package apprise is there."""
    return find_spec("apprise") is not None


@contextmanager
def _logged() -> Iterator[list[str]]:
    """Collect what apprise logs as a warning or an error: the only place where it gives reasons."""
    reasons: list[str] = []
    log = logging.getLogger("apprise")
    handler = _Collector(reasons)
    log.addHandler(handler)
    try:
        yield reasons
    finally:
        log.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, reasons: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._reasons = reasons

    def emit(self, record: Any) -> None:  # noqa: ANN401 - as logging declares it
        self._reasons.append(record.getMessage())
