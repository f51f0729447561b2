"""The questions that findings come from. The only list of them.

A question declares a `Question` (findings.py) in its own folder; adding it here gives its
candidates a life, and docs/alerts.md must have a section for each of its rules.
"""

import polars as pl

from openai_costs.orchestration.table_assets import OWNERS
from openai_costs.outputs.alerts.dagster_rules import CHECK_FAILED, RUN_FAILED
from openai_costs.outputs.alerts.data_rules import LATE, UNDELIVERED, late, undelivered
from openai_costs.questions.anomalies.findings import QUESTION as ANOMALIES
from openai_costs.questions.budgets.findings import QUESTION as BUDGETS
from openai_costs.questions.gateway_bypass.findings import QUESTIONS as GATEWAY_BYPASS
from openai_costs.questions.reconciliation.findings import QUESTION as RECONCILIATION
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.questions.seats.findings import QUESTIONS as SEATS
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.deliveries import Deliveries

DATA_OWNER = OWNERS[0]
"""Who is told of trouble with data: the owner of the assets, not who spent the money."""


def _late(lake: Lake, facts: Facts) -> pl.DataFrame:
    grace = facts.settings.reading.grace
    return late(lake.read(Coverage), facts.now, grace, DATA_OWNER)


def _undelivered(lake: Lake, facts: Facts) -> pl.DataFrame:
    routes = [route.name for route in facts.settings.alerts.routes]
    return undelivered(lake.read(Deliveries), routes, facts.today, DATA_OWNER)


DATA = (
    Question(rules=(LATE,), reads=(Coverage,), ask=_late),
    Question(rules=(UNDELIVERED,), reads=(Deliveries,), ask=_undelivered),
)
"""Asked by the asset and, as they must be noticed when nothing runs, by a sensor too."""

CANDIDATES: tuple[Question, ...] = (
    *DATA,
    ANOMALIES,
    BUDGETS,
    *GATEWAY_BYPASS,
    RECONCILIATION,
    *SEATS,
)
"""Asked whenever `mart/findings` is made."""

WATCHED = (CHECK_FAILED, RUN_FAILED)
"""The rules about Dagster's own record, which a sensor looks at."""


def all_rules() -> list[Rule]:
    """Return every rule there is."""
    return [*(rule for question in CANDIDATES for rule in question.rules), *WATCHED]
