"""ChatGPT workspaces as a provider: credits by person, product and model, and who uses it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

from openai_costs.kernel.days import DayRange, midnight
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.chatgpt_workspace.checks import late_checks
from openai_costs.sources.chatgpt_workspace.endpoints import (
    ALLOWED,
    DATASET,
    KEPT_DAYS,
    NAME,
    QUIET,
    VENDOR,
    accounts,
)
from openai_costs.sources.chatgpt_workspace.frames import control, ledger, used
from openai_costs.sources.chatgpt_workspace.late_events import owed_days
from openai_costs.sources.chatgpt_workspace.people import ORGANIZATION
from openai_costs.sources.chatgpt_workspace.protocol import is_without_files, list_get
from openai_costs.sources.chatgpt_workspace.settings import ChatGptConnection, credit_price
from openai_costs.sources.chatgpt_workspace.source import ChatGptCosts, first_day
from openai_costs.sources.diagnosis import call_diagnosis, key_diagnosis
from openai_costs.sources.http.paging import Body
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.provider import (
    CostSource,
    Diagnosis,
    Provider,
    RawPages,
    Reach,
    UsageSource,
    silent,
)
from openai_costs.tables.core.spend import ESTIMATED

KEY = "sk-"
NO_FILES = (
    "no file of cost events since {}: no one used the workspace, or the platform writes none. "
    "Compare with the Global Admin Console: such days settle without costs."
)
NO_KEY = "is not an OpenAI key (sk-...): create an admin key in the Global Admin Console."

_PAGES = RawPages(
    provider=NAME,
    dataset=DATASET,
    description="Cost events as the logs hold them, a day each.",
    group="sources/chatgpt_workspace",
    reader=ChatGptCosts,
    first_day=first_day,
    is_paced=True,
)


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield whether there is a key, whether files come, and whether credits have a price."""
    since, bodies = (midnight(today) - QUIET).date(), list[Body]()
    yield key_diagnosis(settings, connection, KEY, "an OpenAI key", NO_KEY)
    transport = transport_to(VENDOR, settings, connection, reach, silent)
    asked = list_get(str(connection.organization_id), DayRange(since, today), limit=1)
    with closing(transport):
        yield call_diagnosis(
            asked.path,
            f"files since {since}",
            lambda: bodies.append(transport.get(asked.path, asked.params)),
        )
    if any(map(is_without_files, bodies)):
        yield Diagnosis("WARN", "files", NO_FILES.format(since))
    rate = credit_price(connection)
    if rate is None:
        text = "usd_per_credit is not set: rows have credits and no dollars. Set your contract's."
        yield Diagnosis("WARN", "credits", text)
    else:
        yield Diagnosis("OK", "credits", f"${rate:f} each, so its dollars are estimated")


CHATGPT_WORKSPACE = Provider(
    name=NAME,
    connection=ChatGptConnection,
    allowed=ALLOWED,
    costs=CostSource(
        pages=_PAGES, ledger=ledger, control=control, accounts=accounts, owed=owed_days
    ),
    diagnose=diagnose,
    usage=UsageSource(pages=_PAGES, usage=used),
    organization=ORGANIZATION,
    checks=(late_checks(_PAGES),),
    kept_days=KEPT_DAYS,
    settles_within=QUIET,
    invoicers=(
        Invoicer(
            NAME,
            "OpenAI",
            "ChatGPT",
            attribution="Each event names the identity (user_id) of who used ChatGPT or Codex.",
        ),
    ),
    cost_basis=ESTIMATED,
)
