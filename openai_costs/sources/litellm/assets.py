"""A LiteLLM proxy as a provider: what it metered, by key, model and upstream."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

from openai_costs.kernel.days import ONE_DAY
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.daily_reader import DailyApi
from openai_costs.sources.diagnosis import call_diagnosis, key_diagnosis
from openai_costs.sources.gateway.litellm.endpoints import DAILY
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.litellm.endpoints import ALLOWED, DATASET, NAME, VENDOR
from openai_costs.sources.litellm.frames import ledger, used
from openai_costs.sources.litellm.identity import owned_ids
from openai_costs.sources.litellm.protocol import Activity, talk
from openai_costs.sources.litellm.settings import LiteLLMConnection, bills_of_upstreams
from openai_costs.sources.provider import (
    CostSource,
    Diagnosis,
    Provider,
    RawPages,
    Reach,
    UsageSource,
    silent,
)
from openai_costs.tables.core.spend import METERED

KEY = "sk-"
NO_KEY = "is not a LiteLLM key (sk-...): create one of a proxy admin or proxy_admin_viewer."

_API = DailyApi(NAME, DATASET, VENDOR, talk)
_PAGES = RawPages(
    provider=NAME,
    dataset=DATASET,
    description="Daily sums as the proxy sent them. Kept and never edited.",
    group="sources/litellm",
    reader=_API.reader,
    is_paced=True,
)


def diagnose(
    settings: Settings, connection: Connection, reach: Reach, today: date
) -> Iterator[Diagnosis]:
    """Yield whether there is a key that sees the whole proxy, and which upstreams have a bill."""
    yesterday = today - ONE_DAY
    yield key_diagnosis(settings, connection, KEY, "a LiteLLM key", NO_KEY)

    def ask() -> None:
        with closing(transport_to(VENDOR, settings, connection, reach, silent)) as transport:
            hold(Activity(connection).read_day(yesterday), transport)

    yield call_diagnosis(DAILY.path, str(yesterday), ask)
    billed_by = bills_of_upstreams(connection)
    its = [f"{upstream} by {' or '.join(names)}" for upstream, names in sorted(billed_by.items())]
    if bills := ", ".join(its):
        text = f"{bills}: the proxy's dollars of these are marked, and added to no bill"
        yield Diagnosis("OK", "upstreams billed here", text)


LITELLM = Provider(
    name=NAME,
    connection=LiteLLMConnection,
    allowed=ALLOWED,
    costs=CostSource(pages=_PAGES, ledger=ledger, owned_ids=owned_ids, ids_may_be_shared=True),
    diagnose=diagnose,
    usage=UsageSource(pages=_PAGES, usage=used),
    cost_basis=METERED,
)
