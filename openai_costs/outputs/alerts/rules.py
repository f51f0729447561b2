"""The questions that findings come from. The only list of them.

A question declares a `Question` (findings.py) in its own folder; adding it here makes findings of
its candidates, and the documentation must have a section for each of its rules.
"""

import polars as pl

from openai_costs.kernel.redaction import redacted
from openai_costs.orchestration.table_assets import OWNERS
from openai_costs.outputs.alerts.dagster_rules import CHECK_FAILED, RUN_FAILED
from openai_costs.outputs.alerts.data_rules import LATE, UNDELIVERED, Settling, late, undelivered
from openai_costs.outputs.alerts.expiring_days import EXPIRING, expiring
from openai_costs.questions.anomalies.findings import QUESTION as ANOMALIES
from openai_costs.questions.budgets.findings import QUESTIONS as BUDGETS
from openai_costs.questions.gateway_bypass.findings import QUESTIONS as GATEWAY_BYPASS
from openai_costs.questions.reconciliation.findings import QUESTION as RECONCILIATION
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.questions.seats.findings import QUESTIONS as SEATS
from openai_costs.sources.account_notes import Refused, refused
from openai_costs.sources.refused_days import refusal_text
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.deliveries import Deliveries

DATA_OWNER = OWNERS[0]
"""Who owns findings about data: the owner of the assets, not the spender."""


def _ask_late(lake: Lake, facts: Facts) -> pl.DataFrame:
    settings, archive = facts.settings, Archive(place(facts.settings.home))
    refusals = {
        one.name: note for one in settings.connections if (note := refused(archive, settings, one))
    }
    coverage = lake.read(Coverage)
    waits = {one.name: provider_of(one).settles_within for one in settings.connections}
    slow = {name: within for name, within in waits.items() if within is not None}
    settling = Settling(settings.reading.grace, slow)
    found = late(coverage, facts.now, settling, DATA_OWNER, refusals)
    of_pages = {
        one.name: Refused(f"Kept pages of {one.name}: {redacted(text)}")
        for one in settings.connections
        if one.name in found["connection"] and one.name not in refusals
        if (text := refusal_text(lake, archive, one))
    }
    if not of_pages:
        return found
    return late(coverage, facts.now, settling, DATA_OWNER, refusals | of_pages)


def _ask_expiring(lake: Lake, facts: Facts) -> pl.DataFrame:
    kept = {one.name: provider_of(one).kept_days for one in facts.settings.connections}
    deleting = {name: days for name, days in kept.items() if days is not None}
    return expiring(lake.read(Coverage), deleting, facts.today, DATA_OWNER)


def _ask_undelivered(lake: Lake, facts: Facts) -> pl.DataFrame:
    routes = [route.name for route in facts.settings.alerts.routes]
    return undelivered(lake.read(Deliveries), routes, facts.today, DATA_OWNER)


DATA_QUESTIONS = (
    Question(rules=(LATE,), reads=(Coverage,), ask=_ask_late),
    Question(rules=(EXPIRING,), reads=(Coverage,), ask=_ask_expiring),
    Question(rules=(UNDELIVERED,), reads=(Deliveries,), ask=_ask_undelivered),
)
"""Asked by the asset, and by a sensor too: they matter most when no run happens."""

QUESTIONS: tuple[Question, ...] = (
    *DATA_QUESTIONS,
    ANOMALIES,
    *BUDGETS,
    *GATEWAY_BYPASS,
    RECONCILIATION,
    *SEATS,
)
"""Asked whenever `mart/findings` is materialised."""

DAGSTER_RULES = (CHECK_FAILED, RUN_FAILED)
"""The rules about Dagster's own history, which only the sensor evaluates."""


def all_rules() -> list[Rule]:
    """Return every rule there is."""
    return [*(rule for question in QUESTIONS for rule in question.rules), *DAGSTER_RULES]


_BY_ID = {rule.id: rule for rule in all_rules()}


def find_rule(rule_id: str) -> Rule:
    """Return a rule; one that is no longer in the code keeps its findings under a plain title."""
    return _BY_ID.get(rule_id) or Rule(rule_id)
