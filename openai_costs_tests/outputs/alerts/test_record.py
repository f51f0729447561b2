from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from upath import UPath

from openai_costs.kernel.errors import ContractBroken
from openai_costs.outputs.alerts.evaluation import NOTHING, evaluate
from openai_costs.outputs.alerts.record import record, recorded
from openai_costs.questions.rules import Facts, Question
from openai_costs.settings import Alerts, Mute
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, candidate, day, frame

if TYPE_CHECKING:
    from openai_costs.outputs.alerts.rows import Candidate

READ = datetime(2026, 11, 23, tzinfo=UTC)
SETTINGS = Settings(
    home="nowhere",
    config_file=Path("openai_costs.toml"),
    connections=(OpenAIConnection(name="acme"),),
)


@dataclass
class Desk:
    """A lake in which some days are settled, and a question about them."""

    lake: Lake

    def settled(self, *numbers: int) -> None:
        read = READ.replace(tzinfo=None)
        rows = [("acme", "costs", day(number), "settled", 1, 1, read) for number in numbers]
        frame = connected(rows)
        self.lake.replace_whole(Coverage, frame)

    def made(self, *numbers: int) -> None:
        """Let the daily table of the question have some days."""
        read_at = {Slice("acme", day(number)): READ for number in numbers}
        self.lake.replace(Spend, [Batch(Spend.no_rows(), read_at)])

    def evaluate(self, *found: Candidate, today: int = 23) -> None:
        question = Question((SPIKE,), (Spend,), lambda _lake, _facts: frame(found))
        facts = Facts(SETTINGS, NOW.replace(day=today))
        record(self.lake, evaluate(self.lake, facts, [question]), Alerts(), facts.today)

    @property
    def states(self) -> list[str]:
        return self.lake.read(Findings)["state"].to_list()

    @property
    def kinds(self) -> list[str]:
        return self.lake.read(FindingChanges)["kind"].to_list()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(Lake(UPath(tmp_path)))
    made.settled(*range(1, 22))
    made.made(*range(1, 22))
    return made


def test_by_whom_else_an_incident_was_seen_is_not_kept(desk: Desk) -> None:
    desk.settled(20)
    desk.made(20)
    desk.evaluate(candidate(20, also_seen_by='[["user", "ana"]]'))
    (row,) = desk.lake.read(Findings).rows(named=True)
    assert row["subject_id"] == "key_etl"
    desk.evaluate(candidate(20, subject_kind="user", also_seen_by='[["api_key", "key_etl"]]'))
    (after,) = desk.lake.read(Findings).rows(named=True)
    assert (after["finding_id"], after["subject_kind"]) == (row["finding_id"], "user")
    assert desk.lake.read(FindingChanges).height == 1


def test_an_incident_that_goes_from_key_to_user_and_back_is_one_finding_with_one_message(
    desk: Desk,
) -> None:
    ana = {"subject_kind": "user", "subject_id": "ana"}
    desk.evaluate(candidate(20))
    desk.evaluate(candidate(20, **ana, also_seen_by='[["api_key", "key_etl"]]'))
    desk.evaluate(candidate(19, 21))
    (row,) = desk.lake.read(Findings).rows(named=True)
    assert (row["subject_id"], row["state"], row["day"]) == ("key_etl", "open", day(21))
    assert desk.kinds == ["opened"]


def test_a_candidate_becomes_a_finding_with_its_change(desk: Desk) -> None:
    desk.evaluate(candidate(21))
    assert (desk.states, desk.kinds) == (["open"], ["opened"])
    assert Findings.broken_rules(desk.lake.read(Findings)) == []
    assert FindingChanges.broken_rules(desk.lake.read(FindingChanges)) == []


def test_the_same_evaluation_again_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.evaluate(candidate(21))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    desk.evaluate(candidate(21))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == before


def test_a_provisional_day_suppresses_the_finding(desk: Desk) -> None:
    desk.settled(*range(1, 21))
    desk.evaluate(candidate(21))
    assert desk.states == []


def test_a_table_that_lags_closes_nothing(tmp_path: Path) -> None:
    desk = Desk(Lake(UPath(tmp_path)))
    desk.settled(*range(1, 22))
    desk.made(*range(1, 19))
    desk.evaluate(candidate(18))
    desk.evaluate()
    assert desk.states == ["open"]
    desk.made(19, 20)
    desk.evaluate()
    assert desk.states == ["closed"]


def test_a_table_that_is_gone_closes_nothing(tmp_path: Path) -> None:
    desk = Desk(Lake(UPath(tmp_path)))
    desk.settled(*range(1, 22))
    desk.made(*range(1, 20))
    desk.evaluate(candidate(19), today=21)
    shutil.rmtree(tmp_path / "lake/mart/spend")
    desk.evaluate(today=23)
    assert desk.states == ["open"]


def test_rows_that_break_the_contract_of_candidates_record_nothing(desk: Desk) -> None:
    with pytest.raises(ContractBroken, match="rule isin"):
        desk.evaluate(candidate(21, severity="terrible"))
    with pytest.raises(ContractBroken, match="owner"):
        desk.evaluate(candidate(21, owner="ada@acme.example"))
    assert desk.states == []


def test_a_process_that_died_between_changes_and_findings_loses_and_repeats_nothing(
    desk: Desk,
) -> None:
    desk.evaluate(candidate(20))
    before = desk.lake.read(Findings)
    worse = candidate(20, 21, severity="critical")
    desk.evaluate(worse)
    desk.lake.replace_whole(Findings, before)  # as if it had died before it replaced them
    desk.evaluate(worse)
    desk.evaluate(worse)
    assert desk.kinds == ["opened", "growing"]
    assert desk.states == ["growing"]


def test_a_process_that_died_before_the_first_finding_loses_and_repeats_nothing(desk: Desk) -> None:
    desk.evaluate(candidate(21))
    desk.lake.replace_whole(Findings, Findings.no_rows())
    desk.evaluate(candidate(21))
    assert (desk.kinds, desk.states) == (["opened"], ["open"])


def test_a_mute_changes_only_what_it_covers(desk: Desk) -> None:
    desk.evaluate(candidate(21), candidate(21, subject_id="key_b"))
    mute = Mute(subject="key_b", reason="known", until=day(25), by="Ada")
    found = recorded(desk.lake, NOTHING, Alerts(mutes=(mute,)), NOW.date())
    assert sorted(found["state"].to_list()) == ["muted", "open"]
