from datetime import date, timedelta

import dagster as dg

from openai_costs.cli.run_output import WHAT_TO_DO, Objections
from openai_costs.orchestration.verdict_scope import EVERYTHING, Scope

MONDAY = date(2026, 11, 16)


def verdict(  # noqa: PLR0913 - a test names what it needs
    passed: bool = False,  # noqa: FBT001, FBT002 - reads as a word below
    *,
    asset: str = "core/usage",
    check: str = "covers_costs",
    day: int | None = 0,
    said: str = "gpt-9 has no usage",
    scope: Scope = EVERYTHING,
) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset.split("/")),
        check_name=check,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata=scope.figures(),
        partition=None if day is None else str(MONDAY + timedelta(days=day)),
    )


def lines(*runs: list[dg.AssetCheckEvaluation]) -> list[str]:
    objections = Objections()
    for verdicts in runs:
        objections.note(verdicts)
    return list(objections.lines())


def test_nothing_is_reported_where_every_check_passed() -> None:
    assert lines([verdict(True)]) == []


def test_days_with_the_same_text_are_one_line() -> None:
    assert lines([verdict(day=0), verdict(day=1), verdict(day=3)]) == [
        "WARN  core/usage covers_costs of 2026-11-16 to 2026-11-17, 2026-11-19: gpt-9 has no usage",
        WHAT_TO_DO,
    ]


def test_a_check_without_days_names_none() -> None:
    (line, _) = lines([verdict(asset="mart/coverage", check="contiguous", day=None)])
    assert line == "WARN  mart/coverage contiguous: gpt-9 has no usage"


def test_a_check_with_another_text_for_every_day_is_shown_by_its_newest_days() -> None:
    told = lines([verdict(day=n, said=f"{n} tokens") for n in range(7)])
    assert [line.rpartition(": ")[2] for line in told[:-1]] == [
        "6 tokens",
        "5 tokens",
        "4 tokens",
        "more of the same",
    ]
    assert "of 2026-11-16 to 2026-11-19: more" in told[3]


def test_a_later_run_that_passes_takes_an_objection_back() -> None:
    assert lines([verdict()], [verdict(True)]) == []


def test_one_connection_that_passes_takes_back_nothing_of_another() -> None:
    """Of what has no days it did: a day that was left unchanged was no reason for exit code 1."""
    red = Scope(["acme", "bolt"], {"acme": "gpt-9 has no usage"})
    for day in (0, None):
        acme = verdict(scope=red, day=day)
        assert len(lines([acme], [verdict(True, scope=Scope(["ferry", "bolt"]), day=day)])) == 2
        assert lines([acme], [verdict(True, scope=Scope(["ferry", "acme"]), day=day)]) == []


def test_what_looks_at_all_there_is_is_judged_by_the_last_run_alone() -> None:
    early = verdict(check="contiguous", day=None, said="today is missing")
    late = verdict(True, check="contiguous", day=None)
    assert lines([early], [late]) == []


def test_days_that_were_left_as_they_were_are_named() -> None:
    objections = Objections()
    objections.note([verdict(), verdict(check="contract", said="id is gone")])
    assert objections.refused() == ["id is gone"]


def test_a_bill_that_was_not_read_is_a_failure_and_an_explanation_that_was_not_is_none() -> None:
    objections = Objections()
    for asset in ("raw/openai_costs", "raw/openai_usage", "raw/openai_directory"):
        said = f"{asset} was refused."
        objections.note([verdict(asset=asset, check="read_complete", said=said)])
    assert objections.unread() == ["raw/openai_costs was refused."]
    objections.note([verdict(True, asset="raw/openai_costs", check="read_complete")])
    assert objections.unread() == []
