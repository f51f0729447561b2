"""OpenRouter as a provider: activity by day, which holds dollars and tokens alike."""

from collections.abc import Iterator
from datetime import date

from openai_costs.kernel.days import ONE_DAY
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.daily_reader import DailyApi
from openai_costs.sources.diagnosis import key_diagnosis, one_call
from openai_costs.sources.invoicer import Invoicer
from openai_costs.sources.openrouter.endpoints import (
    ALLOWED,
    DATASET,
    KEEPS,
    KEPT_DAYS,
    NAME,
    VENDOR,
    completed_days,
)
from openai_costs.sources.openrouter.frames import ledger, owned_ids, used
from openai_costs.sources.openrouter.protocol import get, talk
from openai_costs.sources.openrouter.settings import OpenRouterConnection
from openai_costs.sources.provider import (
    CostSource,
    Diagnosis,
    Provider,
    RawPages,
    Reach,
    UsageSource,
    silent,
)

KEY = "sk-or-"
NO_KEY = "is not an OpenRouter key (sk-or-...): create a management key there."

_API = DailyApi(NAME, DATASET, VENDOR, talk, completed_days, KEEPS)
_PAGES = RawPages(
    provider=NAME,
    dataset=DATASET,
    description="Activity pages as OpenRouter sent them. Kept and never edited.",
    group="sources/openrouter",
    reader=_API.reader,
    first_day=_API.first_day,
    is_paced=True,
)


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield whether there is a management key, and whether yesterday can be read."""
    yesterday = today - ONE_DAY
    yield key_diagnosis(settings, connection, KEY, "an OpenRouter key", NO_KEY)
    transport = transport_to(VENDOR, settings, connection, reach, silent)
    yield one_call(transport, get(yesterday), str(yesterday))


OPENROUTER = Provider(
    name=NAME,
    connection=OpenRouterConnection,
    allowed=ALLOWED,
    costs=CostSource(pages=_PAGES, ledger=ledger, owned_ids=owned_ids),
    diagnose=diagnose,
    usage=UsageSource(pages=_PAGES, usage=used),
    kept_days=KEPT_DAYS,
    invoicers=(
        Invoicer(
            NAME,
            "OpenRouter",
            "OpenRouter API",
            "Workspace",
            "OpenRouter's activity names a workspace, no user and no key.",
        ),
    ),
)
