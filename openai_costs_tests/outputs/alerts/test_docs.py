"""docs/alerts.md and the code say the same: rules, settings, sensors, numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import pytest
from pydantic_core import PydanticUndefined

import openai_costs
from openai_costs.outputs.alerts.data_rules import BAD, LOOKBACK, MANY, SLACK
from openai_costs.outputs.alerts.delivery_log import WAITS
from openai_costs.outputs.alerts.delivery_queue import FORGOTTEN_AFTER
from openai_costs.outputs.alerts.rules import all_rules
from openai_costs.settings import Alerts, Anomalies, AnomalyScope, Budget, ChannelKind, Mute, Route
from openai_costs.settings.alerts import Weekly
from openai_costs.tables.mart.findings import STATES

if TYPE_CHECKING:
    from pydantic import BaseModel

    from openai_costs.questions.rules import Rule

ROOT: Final = Path(openai_costs.__file__).parent.parent
PAGE: Final = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
PARTS: Final = ("Meaning", "Formula", "Why it may be wrong", "What to do")
ALERTS_PAGE: Final = "docs/alerts.md"
RULES: Final = all_rules()


def sections(page: str) -> dict[str, str]:
    """The sections of a page by their anchor."""
    found = re.findall(r"^#{2,3} ([^\n]+)\n(.*?)(?=^#{1,3} |\Z)", page, re.MULTILINE | re.DOTALL)
    return {title.lower().replace(" ", "-"): text for title, text in found}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_section_with_meaning_formula_doubt_and_remedy(rule: Rule) -> None:
    page, _, anchor = rule.docs.partition("#")
    found = sections((ROOT / page).read_text(encoding="utf-8"))
    assert anchor in found, rule.docs
    for part in PARTS:
        assert f"*{part}.*" in found[anchor], part


def test_no_section_is_about_a_rule_that_does_not_exist() -> None:
    documented = set(sections(PAGE.partition("\n## Rules\n")[2]))
    assert documented == {rule.docs.partition("#")[2] for rule in RULES if rule.page == ALERTS_PAGE}


def test_a_rule_is_named_once_and_by_its_folder() -> None:
    names = [rule.id for rule in RULES]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", name) for name in names)


@pytest.mark.parametrize(
    ("model", "head"),
    [
        (Alerts, "`[alerts]`:"),
        (Route, "Each `[[alerts.routes]]`"),
        (Weekly, "`[alerts.weekly]`:"),
        (Mute, "Each `[[alerts.mutes]]`"),
        (Anomalies, "`[anomalies]`, from when"),
        (AnomalyScope, "Each `[[anomalies.scopes]]`"),
        (Budget, "Each `[[budgets]]`:"),
    ],
    ids=("alerts", "routes", "weekly", "mutes", "anomalies", "scopes", "budgets"),
)
def test_every_setting_is_documented_with_its_default_and_no_other(
    model: type[BaseModel], head: str
) -> None:
    table = PAGE.partition(f"\n{head}")[2].partition("\n\n")[2].partition("\n\n")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+)`? \|", table, re.MULTILINE))
    assert documented == {
        name: default(field.default) for name, field in model.model_fields.items()
    }


def default(value: object) -> str:
    if value is PydanticUndefined:
        return "required"
    if value == ("*",):
        return "*"
    if value in (None, (), ""):
        return "none"
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)


def test_the_numbers_are_those_of_the_code() -> None:
    flat = " ".join(PAGE.split())
    waits = [str(int(wait.total_seconds() // 60)) for wait in WAITS]
    assert f"after {', '.join(waits[:-1])} and {waits[-1]} minutes" in flat
    assert f"From the {['', 'first', 'second', 'third'][MANY]} attempt on" in flat
    assert (FORGOTTEN_AFTER.days, "older than three days" in flat) == (3, True)
    assert f"`[reading] settle_hours` and {SLACK.seconds // 3600} hours ago" in flat
    assert f"settled before the {LOOKBACK} newest; more than {BAD} late days are critical" in flat


def test_states_channels_and_sensors_are_all_documented() -> None:
    for word in (*STATES, *get_args(ChannelKind)):
        assert f"| `{word}` |" in PAGE
    for word in ("deliver_findings", "watch_data"):
        assert f"`{word}`" in PAGE
