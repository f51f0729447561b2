from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import duckdb
import polars as pl
import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import PUBLISH, REFRESH
from openai_costs.outputs.alerts import assets
from openai_costs.questions.rules import Question
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import FACTS, calm, day, house
from openai_costs_tests.outputs.alerts.fixtures import SPIKE, candidate, frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_costs_tests.org import House

TWICE: Final = {
    REFRESH: (*FACTS, "mart/findings"),
    PUBLISH: ("mart/coverage", "mart/findings", "published/duckdb"),
}
HELD: Final = replace(candidate(20, 21, connection="tidewater", subject_name=None))
OTHER: Final = replace(HELD, subject_id="another")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A home whose findings are computed twice, with a question that always returns the same."""
    question = Question((SPIKE,), (Spend,), lambda _lake, _facts: frame([HELD]))
    with pytest.MonkeyPatch.context() as patch, calm():
        patch.setattr(assets, "QUESTIONS", (*assets.QUESTIONS, question))
        made = house(tmp_path_factory.mktemp("alerts") / "home")
        made.lake.replace_whole(ApiKeys, namesakes())
        for job, only in TWICE.items():
            assert made.run(day(20), day(21), job=job, only=only).failures == []
        yield made


def namesakes() -> pl.DataFrame:
    """The key of the finding, and another with its name."""
    row = dict.fromkeys(ApiKeys.types()) | {"connection": "tidewater", "provider": "openai"}
    seen = {"status": "active", "first_seen_day": day(1), "last_seen_day": day(21)}
    listed = [
        {**row, **seen, "is_current": True, "id": one, "name": "etl"} for one in ("key_etl", "k_2")
    ]
    return pl.DataFrame(listed, schema=ApiKeys.types())


def test_a_finding_is_about_one_of_two_namesakes_by_name(built: House) -> None:
    assert built.lake.read(Findings)["subject_name"].to_list() == ["etl \u00b7 ey_etl"]
    with duckdb.connect(str(built.published), read_only=True) as sql:
        assert sql.execute("SELECT subject FROM bi.findings").fetchall() == [("etl \u00b7 ey_etl",)]


def test_the_graph_opens_a_finding_of_a_candidate_once(built: House) -> None:
    found = built.lake.read(Findings).select("rule", "state", "change").rows()
    assert found == [("anomalies.spike", "open", 1)]


def test_findings_are_published_with_their_changes(built: House) -> None:
    with duckdb.connect(str(built.published), read_only=True) as sql:
        asked = "SELECT rule, kind FROM mart.findings JOIN mart.finding_changes USING (finding_id)"
        assert sql.execute(asked).fetchall() == [("anomalies.spike", "opened")]
        assert sql.execute("SELECT count(*) FROM mart.deliveries").fetchall() == [(0,)]


def test_findings_wait_for_days_that_are_to_be_derived_again(
    built: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a change of teams, only the trailing days have the new ones: their sums are of none."""
    copy = built.moved_to(tmp_path / "home")
    question = Question((SPIKE,), (Spend,), lambda _lake, _facts: frame([OTHER]))
    monkeypatch.setattr(assets, "QUESTIONS", (question,))
    before = copy.lake.read(Findings)
    to_derive = [DayRange(day(18), day(19))]
    monkeypatch.setattr(assets, "days_to_derive", lambda *_: to_derive)
    with calm():
        assert copy.run(day(20), day(21), job=PUBLISH, only=TWICE[PUBLISH]).failures == []
    assert copy.lake.read(Findings).equals(before)
    to_derive[:] = [DayRange(day(29), day(30))]  # of a clock that was ahead
    with calm():
        assert copy.run(day(20), day(21), job=PUBLISH, only=TWICE[PUBLISH]).failures == []
    assert OTHER.subject_id in set(copy.lake.read(Findings)["subject_id"])
