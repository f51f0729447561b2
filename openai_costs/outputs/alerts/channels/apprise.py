"""Everything else, through the library apprise: `pip install openai_costs[apprise]`."""

from importlib import import_module
from typing import Any

from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.message import Message

KINDS = {"critical": "failure", "warning": "warning", "info": "info"}


def send(message: Message, address: Address) -> str:
    """Hand a message to apprise, which tells only whether it worked."""
    library = _library()
    notifier = library.Apprise()
    if not notifier.add(address.url.get_secret_value()):
        raise DeliveryFailed("apprise does not understand the address", is_retryable=True)
    kind = "success" if message.kind == "closed" else KINDS[message.severity]
    body = message.text.partition("\n")[2]
    if not notifier.notify(title=message.title, body=body, notify_type=kind, body_format="text"):
        raise DeliveryFailed("apprise could not deliver it", is_retryable=True)
    return ""


def _library() -> Any:  # noqa: ANN401 - an optional library without a place in our types
    try:
        return import_module("apprise")
    except ModuleNotFoundError:
        raise DeliveryFailed(
            "apprise is not installed: pip install 'openai_costs[apprise]'", is_retryable=True
        ) from None
