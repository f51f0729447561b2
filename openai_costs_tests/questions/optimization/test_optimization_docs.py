"""docs/optimization.md and the rules are one thing said twice: held together here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

import openai_costs
from openai_costs.kernel.formatting import dollars
from openai_costs.questions.optimization import batch_or_flex, cache_reads, facts
from openai_costs.questions.optimization.cheaper_successor import SUCCESSORS
from openai_costs.questions.optimization.measured import PERIOD_DAYS
from openai_costs.questions.prices.price_check import SOURCE
from openai_costs.tables.mart.optimization import RULES

PACKAGE: Final = Path(openai_costs.__file__).parent
PAPER: Final = PACKAGE.parent / "docs" / "optimization.md"
PARTS: Final = ("Meaning", "Formula", "Why it may be wrong", "What to do")


def sections() -> dict[str, str]:
    text = PAPER.read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_rule_has_its_section_and_no_other() -> None:
    assert tuple(sections()) == RULES


@pytest.mark.parametrize("rule", RULES)
def test_a_section_says_what_it_means_how_when_not_and_what_to_do(rule: str) -> None:
    assert re.findall(r"^\*\*(.+?)\.\*\*", sections()[rule], re.MULTILINE) == list(PARTS)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_found_in_one_module_by_its_name(rule: str) -> None:
    modules = (PACKAGE / "questions" / "optimization").glob("*.py")
    assert sum(f'"{rule}"' in module.read_text(encoding="utf-8") for module in modules) == 1


def test_the_successors_are_the_reported_ones() -> None:
    said = re.findall(
        r"^\| `(.+?)` \| `(.+?)` \| (.+?) \|$", sections()[RULES[2]], flags=re.MULTILINE
    )
    assert said == [(old, new.model, str(new.since)) for old, new in SUCCESSORS.items()]


def test_the_numbers_in_the_text_are_the_ones_in_the_code() -> None:
    text = " ".join(PAPER.read_text(encoding="utf-8").split())
    for sentence in (
        f"The last {PERIOD_DAYS} settled days",
        f"Less than {dollars(facts.MIN_SAVING_USD)} in the period",
        f"used on {cache_reads.MIN_DAYS} days or more",
        f"ahead by {cache_reads.MIN_GAP_PCT} percentage points or more",
        f"used on {batch_or_flex.MIN_DAYS} days or more (all but {batch_or_flex.DAYS_OFF}",
        f"at least {batch_or_flex.WEEKEND_PCT} % of a weekday's tokens",
        f"the cheaper) / {batch_or_flex.CAN_WAIT}",
    ):
        assert sentence in text


def test_the_catalogue_is_the_one_that_is_pinned() -> None:
    pinned = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"{SOURCE.replace(" ", "==")}"' in pinned
