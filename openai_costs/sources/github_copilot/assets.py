"""GitHub Copilot as a provider: the bill of an organization, and who holds a seat."""

from collections.abc import Iterator
from datetime import date

from openai_costs.kernel.days import ONE_DAY
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.daily_reader import DailyApi
from openai_costs.sources.diagnosis import key_diagnosis, one_call
from openai_costs.sources.github_copilot.endpoints import (
    ALLOWED,
    DATASET,
    KEEPS,
    NAME,
    VENDOR,
    accounts,
    kept_days,
    seats_path,
)
from openai_costs.sources.github_copilot.frames import ledger
from openai_costs.sources.github_copilot.protocol import bill
from openai_costs.sources.github_copilot.seat_list import seats_get
from openai_costs.sources.github_copilot.seats import ORGANIZATION
from openai_costs.sources.github_copilot.settings import CopilotConnection
from openai_costs.sources.github_copilot.source import talk
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.provider import (
    CostSource,
    Diagnosis,
    Provider,
    RawPages,
    Reach,
    silent,
)

KEY = "github_pat_|gh[opsu]_"
NO_KEY = "is not a GitHub token (github_pat_...): create a fine-grained one of the organization."

_API = DailyApi(NAME, DATASET, VENDOR, talk, kept_days, KEEPS)


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield whether there is a token, and whether the bill and the seats can be read."""
    organization, yesterday = str(connection.organization_id), today - ONE_DAY
    yield key_diagnosis(settings, connection, KEY, "a GitHub token", NO_KEY)
    transport = transport_to(VENDOR, settings, connection, reach, silent)
    yield one_call(transport, bill(organization, yesterday), str(yesterday))
    if connection.access == "costs_only":
        yield Diagnosis(
            "OK", f"GET {seats_path(organization)}", "not requested: access is costs_only"
        )
        return
    transport = transport_to(VENDOR, settings, connection, reach, silent)
    seats = one_call(transport, seats_get(organization, size=1), "one seat")
    yield seats._replace(state="WARN") if seats.state == "FAIL" else seats


GITHUB_COPILOT = Provider(
    name=NAME,
    connection=CopilotConnection,
    allowed=ALLOWED["full"],
    costs=CostSource(
        pages=RawPages(
            provider=NAME,
            dataset=DATASET,
            description="Bills of Copilot as GitHub sent them. Kept and never edited.",
            group="sources/github_copilot",
            reader=_API.reader,
            first_day=_API.first_day,
            is_paced=True,
        ),
        ledger=ledger,
        accounts=accounts,
    ),
    diagnose=diagnose,
    organization=ORGANIZATION,
    invoicers=(
        Invoicer(
            NAME,
            "GitHub",
            "GitHub Copilot",
            attribution="GitHub's bill names no person; it is asked for each login that holds a "
            "seat or had a bill in an earlier read, and what no login explains has no user.",
        ),
    ),
)
