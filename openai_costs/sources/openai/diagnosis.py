"""What the doctor reports of an OpenAI connection, asked with the smallest requests there are.

Not here: how the doctor shows it.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import partial
from typing import NamedTuple

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.errors import AccessRefused, OpenAICostsError, ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.diagnosis import call_diagnosis, key_diagnosis
from openai_costs.sources.http.paging import Get
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.openai.azure import WAY_IN, is_azure_key
from openai_costs.sources.openai.connection import MANAGEMENT_SCOPE, USAGE_SCOPE, connect
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.costs.source import probe
from openai_costs.sources.openai.organization.endpoints import PROJECTS
from openai_costs.sources.openai.paging import Query
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.sources.provider import Diagnosis, Reach

WITHOUT = {
    USAGE_SCOPE: (
        "core.usage stays empty, so no dollars are allocated by tokens and no quantity is compared "
        "with the bill"
    ),
    MANAGEMENT_SCOPE: (
        "core.projects, core.api_keys and core.users have ids only, without names and owners, and "
        "the start of the history must be searched for"
    ),
}
"""What is missing without a scope."""


KEY = "sk-admin-"
NO_ADMIN_KEY = (
    "is not an admin key (sk-admin-...). OpenAI refuses project keys: create an admin key."
)


class ScopeFound(NamedTuple):
    """Whether a key has a scope.

    Args:
        scope: The scope.
        path: The path that was asked.
        is_there: None when it was not asked, or when the answer does not tell.
        message: The provider's message, or why it was not asked.
        without: What is missing without it.
    """

    scope: str
    path: str
    is_there: bool | None
    message: str
    without: str


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield facts about a connection: its key, whether costs are answered, and its scopes."""
    yesterday = today - ONE_DAY
    day = DayRange(yesterday, yesterday)
    of_key = key_diagnosis(settings, connection, KEY, "an admin key", _remedy(settings, connection))
    yield of_key
    if of_key.state == "FAIL":  # nothing can be asked, and one line says so
        return
    ask = partial(probe, settings, connection, reach, day)
    yield call_diagnosis(COSTS.path, str(yesterday), ask)
    for found in probe_scopes(settings, connection, reach, day):
        yield _of_scope(connection, found)


def _remedy(settings: Settings, connection: Connection) -> str:
    """Return what a key of another kind is, and what to do about it."""
    try:
        key = settings.admin_key(connection).get_secret_value()
    except OpenAICostsError:  # key_diagnosis says so
        return NO_ADMIN_KEY
    return f"is an Azure key. {WAY_IN}." if is_azure_key(key) else NO_ADMIN_KEY


def _of_scope(connection: Connection, scope: ScopeFound) -> Diagnosis:
    about = f"scope {scope.scope}"
    if scope.is_there:
        return Diagnosis("OK", about, f"the key has it (GET {scope.path}: HTTP 200)")
    text = f"{scope.message.rstrip('.')}; without it: {scope.without}."
    if scope.is_there is None and connection.access == "costs_only":
        return Diagnosis("OK", about, text)
    return Diagnosis("WARN", about, f"{text} Add it to the key in {connection.key_place}.")


def probe_scopes(
    settings: Settings, connection: Connection, reach: Reach, day: DayRange
) -> Iterator[ScopeFound]:
    """Ask for one row of usage and one project; yield what each answer means for the key.

    Args:
        settings: Where the key is found.
        connection: Whose key.
        reach: How to get out.
        day: A day to ask the usage of.

    Raises:
        SettingsError: The connection has no key that can be used; nothing was sent.
    """
    settings.admin_key(connection)
    requests = {
        USAGE_SCOPE: Query(USAGE_ENDPOINTS[0], day).get(),
        MANAGEMENT_SCOPE: Get(PROJECTS.path, (("limit", "1"),)),
    }
    with closing(connect(settings, connection, reach)) as transport:
        for scope, get in requests.items():
            is_there, message = _asked(transport, get, connection)
            yield ScopeFound(scope, get.path, is_there, message, WITHOUT[scope])


def _asked(transport: Transport, get: Get, connection: Connection) -> tuple[bool | None, str]:
    if connection.access == "costs_only":
        return None, "not requested: access is costs_only"
    try:
        transport.get(get.path, get.params)
    except AccessRefused as refused:
        return False, f"HTTP {refused.status}: {refused.message}"
    except ReadFailed as failed:
        return None, str(failed)
    return True, "HTTP 200"
