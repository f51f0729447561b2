"""What the doctor can report of any connection with a key: the key, and the smallest request.

A provider's `diagnose` puts these together with what it alone knows.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.settings.addresses import host_of
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.http.client import proxy_of
from openai_costs.sources.http.paging import Get
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.provider import Diagnosis


def key_diagnosis(
    settings: Settings, connection: Connection, pattern: str, kind: str, remedy: str
) -> Diagnosis:
    """Return whether there is a key, and whether it looks like one of the right kind.

    Args:
        settings: Where the key is found.
        connection: Whose key.
        pattern: What the beginning of such a key looks like.
        kind: What such a key is called.
        remedy: What a key of another kind is, and what to do about it: "is not an admin key. ...".
    """
    try:
        key = settings.admin_key(connection).get_secret_value()
    except OpenAICostsError as missing:
        return Diagnosis("FAIL", "key", str(missing))
    if not re.match(pattern, key):
        return Diagnosis("WARN", "key", f"the key in {connection.key_place} {remedy}")
    return Diagnosis("OK", "key", f"{connection.key_place} holds {kind}")


def call_diagnosis(path: str, about: str, ask: Callable[[], object]) -> Diagnosis:
    """Return whether a request is answered.

    Args:
        path: The path it asks.
        about: What it asks for, for the text: a day.
        ask: Sends it.
    """
    try:
        ask()
    except OpenAICostsError as refused:
        return Diagnosis("FAIL", f"GET {path}", str(refused))
    return Diagnosis("OK", f"GET {path}", f"HTTP 200 for {about}")


def one_call(transport: Transport, get: Get, about: str) -> Diagnosis:
    """Return whether one request is answered; the transport is closed.

    Args:
        transport: Sends it.
        get: The request.
        about: What it asks for, for the text: a day.
    """
    with closing(transport):
        return call_diagnosis(get.path, about, lambda: transport.get(get.path, get.params))


def proxy_diagnoses(settings: Settings) -> Iterator[Diagnosis]:
    """Yield each proxy that the environment puts between this machine and an address we ask."""
    gateway = settings.gateway
    named = {
        one.name: one.base_url
        for one in settings.connections
        if not one.is_sample and host_of(one.base_url)
    }
    if gateway.litellm_url:
        named[gateway.name] = gateway.litellm_url
    for name, address in named.items():
        try:
            proxy = proxy_of(httpx.URL(address))
        except OpenAICostsError as unusable:
            yield Diagnosis("FAIL", f"{name}: proxy", str(unusable))
            continue
        if proxy:
            between = proxy.url.netloc.decode()
            text = (
                f"requests to {httpx.URL(address).host} go through the proxy {between} that "
                "the environment names; if that is not meant, name the host in NO_PROXY"
            )
            yield Diagnosis("OK", f"{name}: proxy", text)
