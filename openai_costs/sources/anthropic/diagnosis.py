"""What the doctor reports of an Anthropic connection, asked with the smallest requests there are.

Not here: how the doctor shows it.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.errors import AccessRefused, MissingKey, OpenAICostsError, RequestRefused
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.connection import connect
from openai_costs.sources.anthropic.costs.endpoints import ANALYTICS_COST, COST_REPORT
from openai_costs.sources.anthropic.costs.protocol import UNAUTHORIZED
from openai_costs.sources.anthropic.costs.source import probe
from openai_costs.sources.anthropic.organization.endpoints import WORKSPACES
from openai_costs.sources.diagnosis import call_diagnosis, key_diagnosis
from openai_costs.sources.provider import Diagnosis, Reach

KEY = "sk-ant-"
NO_KEY = (
    "this is not an Anthropic key (sk-ant-admin...): create an admin key in the Claude Console."
)

WITHOUT_ANALYTICS = (
    "costs come from the older cost report: dollars by workspace and model, without keys, users "
    "and products; keys and users are assigned by tokens"
)
WITHOUT_LISTS = (
    "core.projects, core.api_keys and core.users hold ids only: no names and no owners of keys"
)


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield facts about a connection: its key, whether costs are answered, and its lists."""
    yesterday = today - ONE_DAY
    yield key_diagnosis(settings, connection, KEY, "an Anthropic key", NO_KEY)
    yield _costs(settings, connection, reach, DayRange(yesterday, yesterday))
    if connection.access == "costs_only":
        yield Diagnosis("OK", f"GET {WORKSPACES.path}", "not requested: access is costs_only")
        return
    try:
        yield _lists(settings, connection, reach)
    except MissingKey:
        return  # has a line of its own


def _costs(settings: Settings, connection: Connection, reach: Reach, day: DayRange) -> Diagnosis:
    """Ask the analytics API for one day; where that is refused, the older report."""

    def ask_newer() -> None:
        probe(settings, connection, reach, day, ANALYTICS_COST)

    def ask_older() -> None:
        probe(settings, connection, reach, day, COST_REPORT)

    try:
        ask_newer()
    except (AccessRefused, RequestRefused) as refused:
        older = call_diagnosis(COST_REPORT.path, str(day), ask_older)
        if refused.status == UNAUTHORIZED or older.state == "FAIL":
            return Diagnosis("FAIL", f"GET {ANALYTICS_COST.path}", str(refused))
        text = f"HTTP {refused.status}: {refused.message.rstrip('.')}; {WITHOUT_ANALYTICS}."
        return Diagnosis("WARN", f"GET {ANALYTICS_COST.path}", text)
    except OpenAICostsError as failed:
        return Diagnosis("FAIL", f"GET {ANALYTICS_COST.path}", str(failed))
    return Diagnosis("OK", f"GET {ANALYTICS_COST.path}", f"HTTP 200 for {day}")


def _lists(settings: Settings, connection: Connection, reach: Reach) -> Diagnosis:
    settings.admin_key(connection)
    about = f"GET {WORKSPACES.path}"
    try:
        with closing(connect(settings, connection, reach)) as transport:
            transport.get(WORKSPACES.path, (("limit", "1"),))
    except AccessRefused as refused:
        text = f"HTTP {refused.status}: {refused.message.rstrip('.')}; without it: {WITHOUT_LISTS}."
        return Diagnosis("WARN", about, f"{text} Use an admin key in {connection.key_place}.")
    except OpenAICostsError as failed:
        return Diagnosis("WARN", about, str(failed))
    return Diagnosis("OK", about, "HTTP 200")
