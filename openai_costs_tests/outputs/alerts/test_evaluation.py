from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
from upath import UPath

from openai_costs.outputs.alerts.evaluation import evaluate
from openai_costs.questions.anomalies.findings import QUESTION as ANOMALIES
from openai_costs.questions.gateway_bypass.findings import QUESTIONS as GATEWAY_BYPASS
from openai_costs.questions.reconciliation.findings import QUESTION as RECONCILIATION
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding as Handed
from openai_costs.tables.candidate import candidates
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.alerts.fixtures import LATE, NOW, SPIKE, candidate, day, frame

SETTINGS = Settings(
    home="nowhere",
    config_file=Path("openai_costs.toml"),
    connections=(OpenAIConnection(name="acme"),),
)


def test_rules_about_data_are_judged_although_no_day_settled(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    late = candidate(23, rule="data.late", impact_usd=None)
    question = Question((LATE, Rule("spend.other")), (), lambda _lake, _facts: frame([late]))
    evaluation = evaluate(lake, Facts(SETTINGS, NOW), [question])
    assert evaluation.judged.of("data.late", "acme") == {NOW.date()}
    assert evaluation.judged.of("spend.other", "acme") == frozenset()
    assert evaluation.candidates.height == 1


def test_only_days_that_a_question_looks_at_are_judged(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    settled = [("acme", "costs", day(one), "settled", None, None, None) for one in range(1, 21)]
    lake.replace_whole(Coverage, connected(settled))
    question = Question(
        (SPIKE,),
        (),
        lambda _lake, _facts: Handed.no_rows(),
        judges_until=lambda _lake, _facts: day(18),
        judges_since=lambda _lake, _facts: day(15),
    )
    judged = evaluate(lake, Facts(SETTINGS, NOW), [question]).judged
    for name in ("acme", "*"):
        assert judged.of(SPIKE.id, name) == {day(one) for one in range(15, 19)}


def test_a_day_without_rows_that_the_detector_does_not_judge_closes_no_anomaly(
    tmp_path: Path,
) -> None:
    lake = Lake(UPath(tmp_path))
    read = NOW.replace(tzinfo=None)
    days = [
        ("acme", "costs", day(one), "settled", 0 if one == 9 else 5, read, read)
        for one in range(1, 13)
    ]
    lake.replace_whole(Coverage, connected(days))
    question = replace(ANOMALIES, reads=(), ask=lambda _lake, _facts: Handed.no_rows())
    judged = evaluate(lake, Facts(SETTINGS, NOW), [question]).judged
    for name in ("acme", "*"):
        assert judged.of(SPIKE.id, name) == {day(one) for one in range(1, 13)} - {day(9)}


def test_findings_about_the_gateway_look_at_thirty_days(tmp_path: Path) -> None:
    lake, facts = Lake(UPath(tmp_path)), Facts(SETTINGS, NOW)
    for question in (*GATEWAY_BYPASS, RECONCILIATION):
        assert question.judges_since(lake, facts) == NOW.date() - timedelta(days=30)


def test_a_question_may_omit_columns_that_it_does_not_know() -> None:
    some = frame([candidate(21)]).drop("outlook", "threshold", "owner", "subject_name")
    made = candidates(some.with_columns(more=pl.lit(1)))
    assert made.schema == pl.Schema(Handed.types())
    assert Handed.broken_rules(made) == []


def test_a_subject_without_a_name_gets_the_one_that_a_table_of_people_knows(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(
        Users, users(("u-ada", "ada@acme.example"), ("u-jonas", None), ("u-x", None))
    )
    lake.replace_whole(Engineers, engineers(("Jonas Marten", "u-jonas")))
    found = [
        candidate(21, subject_kind="user", subject_id=one, subject_name=name)
        for one, name in (("u-ada", None), ("u-jonas", None), ("u-x", None), ("u-named", "JM"))
    ]
    question = Question((LATE,), (), lambda _lake, _facts: frame(found))
    names = evaluate(lake, Facts(SETTINGS, NOW), [question]).candidates["subject_name"]
    assert names.to_list() == ["ada", "Jonas Marten", None, "JM"]


def users(*listed: tuple[str, str | None]) -> pl.DataFrame:
    row = dict.fromkeys(Users.types()) | {"connection": "acme", "provider": "openai"}
    seen = {"status": "active", "first_seen_day": day(1), "last_seen_day": day(2)}
    rows = [{**row, **seen, "id": one, "name": name, "is_current": True} for one, name in listed]
    return pl.DataFrame(rows, schema=Users.types())


def engineers(*people: tuple[str, str]) -> pl.DataFrame:
    row = dict.fromkeys(Engineers.types()) | {"status": "left", "is_trusted": True, "origin": "csv"}
    rows = [
        {**row, "person_id": user, "name": name, "openai_user_id": user} for name, user in people
    ]
    return pl.DataFrame(rows, schema=Engineers.types())
