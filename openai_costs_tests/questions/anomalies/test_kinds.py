from __future__ import annotations

from pathlib import Path

from openai_costs.questions.anomalies import kinds
from openai_costs.questions.anomalies.kinds import KINDS, by_name, by_published
from openai_costs.questions.anomalies.kinds.kind import GAP_DAYS, LASTING_GAP_DAYS

FOLDER = Path(kinds.__file__).parent
SHARED = {"__init__", "kind", "phrases"}


def test_a_kind_is_a_file_and_an_entry_of_the_same_name_as_its_rule() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - SHARED
    assert {kind.name for kind in KINDS} == files
    assert {kind.rule.id for kind in KINDS} == {f"anomalies.{name}" for name in files}


def test_rules_and_published_kinds_are_those_that_people_already_use() -> None:
    assert {kind.rule.id: kind.published_as for kind in KINDS} == {
        "anomalies.spike": "spike",
        "anomalies.awake_at_the_weekend": "awake",
        "anomalies.new_spender": "new_entity",
        "anomalies.level_shift": "level_shift",
        "anomalies.slow_leak": "leak",
        "anomalies.drop": "drop",
    }


def test_a_kind_is_found_by_either_name() -> None:
    for kind in KINDS:
        assert by_name(kind.name) is by_published(kind.published_as) is kind


def test_a_finding_stays_open_for_as_long_as_days_of_its_kind_may_be_apart() -> None:
    quiet = {kind.name: kind.rule.quiet_days for kind in KINDS}
    assert {quiet[name] for name in ("level_shift", "slow_leak")} == {LASTING_GAP_DAYS}
    assert {days for name, days in quiet.items() if name not in kinds.LASTING} == {GAP_DAYS}
