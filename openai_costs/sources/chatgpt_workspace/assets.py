"""ChatGPT workspaces as a provider: credits by person, product and model, and who uses it."""

from collections.abc import Iterator
from datetime import date, timedelta

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.chatgpt_workspace.endpoints import (
    ALLOWED,
    DATASET,
    KEPT_DAYS,
    NAME,
    VENDOR,
    accounts,
)
from openai_costs.sources.chatgpt_workspace.frames import control, ledger, used
from openai_costs.sources.chatgpt_workspace.people import ORGANIZATION
from openai_costs.sources.chatgpt_workspace.protocol import list_get
from openai_costs.sources.chatgpt_workspace.settings import ChatGptConnection
from openai_costs.sources.chatgpt_workspace.source import ChatGptCosts, first_day
from openai_costs.sources.diagnosis import key_diagnosis, one_call
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
    """Yield whether there is a key, whether files are listed, and whether credits have a price."""
    yesterday = today - ONE_DAY
    yield key_diagnosis(settings, connection, KEY, "an OpenAI key", NO_KEY)
    transport = transport_to(VENDOR, settings, connection, reach, silent)
    asked = list_get(str(connection.organization_id), DayRange(yesterday, yesterday), limit=1)
    yield one_call(transport, asked, str(yesterday))
    rate = getattr(connection, "usd_per_credit", None)
    if rate is None:
        text = "usd_per_credit is not set: rows have credits and no dollars. Set your contract's."
        yield Diagnosis("WARN", "credits", text)
    else:
        yield Diagnosis("OK", "credits", f"${rate:f} each, so its dollars are estimated")


QUIET = timedelta(days=4)
"""A day settles with the first file after it, which over a long weekend comes on Monday night."""

CHATGPT_WORKSPACE = Provider(
    name=NAME,
    connection=ChatGptConnection,
    allowed=ALLOWED,
    costs=CostSource(pages=_PAGES, ledger=ledger, control=control, accounts=accounts),
    diagnose=diagnose,
    usage=UsageSource(pages=_PAGES, usage=used),
    organization=ORGANIZATION,
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
