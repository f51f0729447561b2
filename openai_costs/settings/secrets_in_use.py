"""The secrets of the gateway, routes and the published database, read from where settings say.

Not here: a connection's key (load.py), the places themselves (secrets.py).
"""

from collections.abc import Callable
from functools import partial

from pydantic import SecretStr

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.error_texts import key_fault
from openai_costs.settings.gateway import Gateway
from openai_costs.settings.load import Settings, held
from openai_costs.settings.secrets import SecretPlace, held_in, once_where_slow


def secret(place: SecretPlace, asks: str) -> SecretStr:
    """Return what is in a place that a setting names, read now.

    Raises:
        SettingsError: There is nothing, or it cannot be read.
    """
    try:
        found = held_in(place, held)
    except SettingsError as unreadable:
        raise SettingsError(f"{asks}: {unreadable}") from None
    if not found:
        raise SettingsError(f"{place.presence}. {asks} names it: export it.")
    return SecretStr(found)


def gateway_key(gateway: Gateway) -> SecretStr:
    """Return the gateway's key, read now; SettingsError where there is none, or more than it."""
    place, may = gateway.key_place, "a LiteLLM key that may read /key/list and /user/daily/activity"
    key = secret(place, f"[gateway] {place.setting} ({may})")
    if fault := key_fault(key.get_secret_value()):
        raise SettingsError(f"[gateway] {place.setting}: the key in {place} {fault}")
    return key


def gateway_key_reader(gateway: Gateway) -> Callable[[], SecretStr]:
    """Return what reads the gateway's key: at every call, or once where a program is run."""
    return once_where_slow(gateway.key_place, partial(gateway_key, gateway))


def publication_key(settings: Settings) -> SecretStr | None:
    """Return the key of the published database, read now; None where it is not encrypted.

    Raises:
        SettingsError: The settings name a variable that is not set.
    """
    place = settings.publish.key_place
    return secret(place, f"[publish] {place.setting}") if place else None
