from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.errors import ContractBroken
from openai_costs.outputs.alerts.judged_days import Judged
from openai_costs.outputs.alerts.rounds import Look, ask, look_again, looked
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.settings import Alerts, Mute
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.candidate import Finding as Handed
from openai_costs.tables.candidate import candidates
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.outputs.alerts.fixtures import LATE, NOW, SPIKE, day, frame, spell

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
        frame = pl.DataFrame(rows, schema=Coverage.types(), orient="row")
        self.lake.replace_whole(Coverage, frame)

    def made(self, *numbers: int) -> None:
        """Let the daily table of the question have some days."""
        read_at = {Slice("acme", day(number)): READ for number in numbers}
        self.lake.replace(Spend, [Batch(Spend.no_rows(), read_at)])

    def look(self, *found: Candidate, today: int = 23, alerts: Alerts | None = None) -> None:
        question = Question((SPIKE,), (Spend,), lambda _lake, _facts: frame(found))
        facts = Facts(SETTINGS, NOW.replace(day=today))

        def now() -> Look:
            return Look(*ask(self.lake, facts, [question]), alerts or Alerts())

        look_again(self.lake, facts.today, now)

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


def test_a_question_makes_a_finding_with_its_change(desk: Desk) -> None:
    desk.look(spell(21))
    assert (desk.states, desk.kinds) == (["open"], ["opened"])
    assert Findings.broken_rules(desk.lake.read(Findings)) == []
    assert FindingChanges.broken_rules(desk.lake.read(FindingChanges)) == []


def test_looking_again_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.look(spell(21))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    desk.look(spell(21))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == before


def test_a_provisional_day_suppresses_the_finding(desk: Desk) -> None:
    desk.settled(*range(1, 21))
    desk.look(spell(21))
    assert desk.states == []


def test_a_table_that_lags_behind_closes_nothing(tmp_path: Path) -> None:
    desk = Desk(Lake(UPath(tmp_path)))
    desk.settled(*range(1, 22))
    desk.made(*range(1, 19))
    desk.look(spell(18))
    desk.look()
    assert desk.states == ["open"]
    desk.made(19, 20)
    desk.look()
    assert desk.states == ["closed"]


def test_a_table_that_is_gone_closes_nothing(tmp_path: Path) -> None:
    desk = Desk(Lake(UPath(tmp_path)))
    desk.settled(*range(1, 22))
    desk.made(*range(1, 20))
    desk.look(spell(19), today=21)
    for file in (tmp_path / "lake/mart/spend").rglob("*.parquet"):
        file.unlink()
    desk.look(today=23)
    assert desk.states == ["open"]


def test_a_question_whose_rows_are_no_candidates_is_refused(desk: Desk) -> None:
    with pytest.raises(ContractBroken, match="rule isin"):
        desk.look(spell(21, severity="terrible"))
    with pytest.raises(ContractBroken, match="owner"):
        desk.look(spell(21, owner="ada@acme.example"))
    assert desk.states == []


def test_a_question_may_leave_out_what_it_does_not_know() -> None:
    some = frame([spell(21)]).drop("outlook", "threshold", "owner", "subject_name")
    made = candidates(some.with_columns(more=pl.lit(1)))
    assert made.schema == pl.Schema(Handed.types())
    assert Handed.broken_rules(made) == []


def test_a_process_that_died_between_changes_and_findings_is_caught_up_with(desk: Desk) -> None:
    desk.look(spell(20))
    before = desk.lake.read(Findings)
    worse = spell(20, 21, severity="critical")
    desk.look(worse)
    desk.lake.replace_whole(Findings, before)  # as if it had died before it replaced them
    desk.look(worse)
    desk.look(worse)
    assert desk.kinds == ["opened", "growing"]
    assert desk.states == ["growing"]


def test_a_process_that_died_before_the_first_finding_is_caught_up_with(desk: Desk) -> None:
    desk.look(spell(21))
    desk.lake.replace_whole(Findings, Findings.no_rows())
    desk.look(spell(21))
    assert (desk.kinds, desk.states) == (["opened"], ["open"])


def test_a_mute_changes_only_what_it_is_about(desk: Desk) -> None:
    desk.look(spell(21), spell(21, subject_id="key_b"))
    mute = Mute(subject="key_b", reason="known", until=day(25), by="Ada")
    found = looked(desk.lake, Handed.no_rows(), Judged({}, {}), Alerts(mutes=(mute,)), NOW.date())
    assert sorted(found["state"].to_list()) == ["muted", "open"]


def test_rules_about_data_are_judged_though_nothing_settled(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    late = spell(23, rule="data.late", impact_usd=None)
    question = Question((LATE, Rule("spend.other")), (), lambda _lake, _facts: frame([late]))
    handed, judged = ask(lake, Facts(SETTINGS, NOW), [question])
    assert judged.of("data.late", "acme") == {NOW.date()}
    assert judged.of("spend.other", "acme") == frozenset()
    assert handed.height == 1
