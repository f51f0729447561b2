from __future__ import annotations

from decimal import Decimal
from typing import Final

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import ContractBroken, CurrencyRefused, PageRefused
from openai_costs.orchestration.checks import (
    CONTRACT,
    CURRENCY,
    KNOWN_FIELDS,
    WARN,
    Rule,
    Verdict,
    evaluations,
    finished,
    run_days,
    verdicts,
)
from openai_costs.orchestration.verdict_scope import EVERYTHING, Scope
from openai_costs.questions.spend.checks import (
    DUPLICATES,
    TIES_OUT,
    UNPARSED,
    _lines_are_sound,
    _sums_agree,
)
from openai_costs.questions.spend.control_totals import compared, day_sums, line_counts
from openai_costs.storage.slices import Replaced, Slice
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs_tests.org import LEDGER, QUIET, TODAY, House, Ran, day, house
from openai_costs_tests.questions.spend.test_control_totals import control, ledger, page

ASSET: Final = dg.AssetKey(["core", "spend"])
A1, B1, A2 = Slice("acme", day(1)), Slice("bolt", day(1)), Slice("acme", day(2))
ERROR = dg.AssetCheckSeverity.ERROR
NAN = PageRefused("page", "amount", "is NaN")
EURO = CurrencyRefused("page", "currency", "is eur")


def said(replaced: Replaced, *rules: Rule) -> dict[tuple[str, int], Verdict]:
    return {(one.rule.name, one.day.day): one for one in verdicts(rules, replaced)}


def test_each_day_gets_a_verdict_of_its_own() -> None:
    found = said(Replaced(rows={A1: 3, A2: 2}, refused={B1: NAN}), CONTRACT)
    assert {key: one.passed for key, one in found.items()} == {
        ("contract", 1): False,
        ("contract", 2): True,
    }
    assert "is NaN" in found["contract", 1].because
    assert found["contract", 2].because == CONTRACT.promise


def test_the_rows_of_all_connections_of_a_day_are_counted() -> None:
    found = said(Replaced(rows={A1: 3, B1: 4}), CONTRACT)
    assert found["contract", 1].figures == {"rows": 7}


def test_a_currency_is_the_currency_check_and_nothing_else_is() -> None:
    found = said(Replaced(refused={A1: EURO, A2: NAN}), CONTRACT, CURRENCY)
    assert {key: one.passed for key, one in found.items()} == {
        ("contract", 1): True,
        ("contract", 2): False,
        ("currency", 1): False,
        ("currency", 2): True,
    }


def test_something_new_in_a_page_names_its_connection_and_only_warns() -> None:
    found = said(Replaced(rows={A1: 1, B1: 1}, remarks={B1: "unknown fields: x"}), KNOWN_FIELDS)
    verdict = found["known_fields", 1]
    assert (verdict.passed, verdict.because) == (False, "bolt: unknown fields: x")
    (event,) = evaluations(ASSET, [verdict])
    assert event.severity == WARN


def test_two_objections_to_a_day_are_both_shown() -> None:
    broken = ContractBroken("core.spend", [day(1)], ["rule r on c: 1 rows"])
    found = said(Replaced(refused={A1: NAN, B1: broken}), CONTRACT)
    assert "is NaN" in found["contract", 1].because
    assert "rule r on c" in found["contract", 1].because


def test_a_verdict_names_the_connections_that_it_looked_at_and_why_each_failed() -> None:
    """It was about the connections of its run, and read as if it were about all."""
    found = said(Replaced(rows={A1: 3, A2: 2}, refused={B1: NAN}), CONTRACT)
    red, green = (next(evaluations(ASSET, [found["contract", n]])) for n in (1, 2))
    assert red.metadata["connections"].value == "acme, bolt"
    assert Scope.of(red) == Scope(["acme", "bolt"], {"bolt": str(NAN)})
    assert Scope.of(green) == Scope(["acme"])


def test_a_verdict_about_all_that_is_stored_names_no_connection() -> None:
    (event,) = evaluations(ASSET, [Verdict(DUPLICATES, day(1), passed=True, because="none")])
    assert Scope.of(event) == EVERYTHING


def test_a_write_of_nothing_has_no_verdict() -> None:
    assert list(verdicts([CONTRACT], Replaced())) == []


def test_a_rule_that_is_not_daily_says_one_thing_of_all_days() -> None:
    once = Rule("contract", "kept", is_daily=False)
    (verdict,) = verdicts([once], Replaced(rows={A1: 1, A2: 2}))
    assert verdict.figures == {"rows": 3}
    (event,) = evaluations(ASSET, [verdict])
    assert event.partition is None


def test_a_verdict_may_be_milder_than_its_rule() -> None:
    mild = Verdict(CONTRACT, day(1), False, "noise", severity=WARN)
    (event,) = evaluations(ASSET, [mild])
    assert (event.severity, event.partition) == (WARN, "2026-11-01")
    assert CONTRACT.severity == ERROR


def test_a_finished_check_hands_dagster_its_output() -> None:
    (output,) = finished(ASSET, [CONTRACT])
    assert output.output_name == "core__spend_contract"


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({"dagster/partition": "2026-11-03"}, DayRange(day(3), day(3))),
        (
            {
                "dagster/asset_partition_range_start": "2026-11-03",
                "dagster/asset_partition_range_end": "2026-11-05",
            },
            DayRange(day(3), day(5)),
        ),
    ],
    ids=["one day", "a range"],
)
def test_the_days_of_a_run_are_those_of_its_tags(tags: dict[str, str], wanted: DayRange) -> None:
    seen: list[DayRange] = []

    @dg.op
    def look(context):  # noqa: ANN001, ANN202 - Dagster reads annotations when the test runs
        seen.append(run_days(context))

    @dg.job(tags=tags)
    def job() -> None:
        look()

    assert job.execute_in_process(run_config=QUIET).success
    assert seen == [wanted]


def tie(control_usd: str, ledger_usd: str, *, settled: bool = True) -> Verdict:
    lines = day_sums(ledger({"billed_usd": Decimal(ledger_usd)}))
    whole = control(control_usd).with_columns(is_settled=settled)
    (verdict,) = _sums_agree(compared(whole, page(ledger_usd), lines, lines))
    return verdict


def test_sums_that_agree_tie_out() -> None:
    verdict = tie("1.5", "1.5")
    assert (verdict.rule, verdict.passed, verdict.because) == (TIES_OUT, True, TIES_OUT.promise)


def test_sums_that_differ_are_an_error_with_both_numbers_and_the_difference() -> None:
    verdict = tie("10", "9")
    assert not verdict.passed
    assert verdict.severity is None
    gap = "has $9.00 (difference -$1.00)"
    assert verdict.because == (
        "acme: the control total is $10.00, "
        f"the page {gap}, core.spend {gap}, core.spend_by_user {gap}"
    )


def test_a_difference_of_binary_noise_is_a_warning() -> None:
    verdict = tie("10", "10.000000000000000001")
    assert not verdict.passed
    assert verdict.severity == WARN


def test_a_provisional_day_is_not_held_to_it_and_says_so() -> None:
    verdict = tie("10", "9", settled=False)
    assert verdict.passed
    assert "the day is provisional" in verdict.because


def test_unrecognized_labels_are_a_warning_above_five_percent() -> None:
    strange = {"model": None, "usage_type": None, "line_item": "?"}
    for usd, passed in (("5", True), ("6", False)):
        lines = ledger({"billed_usd": 100 - Decimal(usd)}, strange | {"billed_usd": Decimal(usd)})
        _, verdict = _lines_are_sound(control("100"), line_counts(lines))
        assert (verdict.rule, verdict.passed) == (UNPARSED, passed)
        assert verdict.figures["unparsed_pct"] == f"{Decimal(usd):.4f}"
    assert UNPARSED.severity == WARN


def test_a_day_without_lines_has_no_duplicates_and_nothing_unparsed() -> None:
    found = list(_lines_are_sound(control("0"), line_counts(Ledger.no_rows())))
    assert [(one.rule, one.passed) for one in found] == [(DUPLICATES, True), (UNPARSED, True)]


@pytest.fixture(scope="module")
def nan_on_the_20th(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[House, Ran, dict[str, Status]]:
    """Four days up to today, the first of them with a number that is none."""
    made = house(tmp_path_factory.mktemp("checks") / "home")
    made.serve("tidewater", "nan-string@1")
    key = dg.AssetCheckKey(ASSET, "contract")
    with dg.DagsterInstance.ephemeral() as instance:
        ran = made.run(day(20), TODAY, instance=instance, only=LEDGER)
        history = instance.event_log_storage.get_asset_check_execution_history(key, limit=20)
    verdict = {str(one.partition): one.status for one in history if one.event}
    return made, ran, verdict


def test_the_instance_remembers_a_verdict_per_day_of_a_ranged_run(
    nan_on_the_20th: tuple[House, Ran, dict[str, Status]],
) -> None:
    assert nan_on_the_20th[2] == {
        "2026-11-20": Status.FAILED,
        "2026-11-21": Status.SUCCEEDED,
        "2026-11-22": Status.SUCCEEDED,
        "2026-11-23": Status.SUCCEEDED,
    }


def test_every_check_of_the_ledger_speaks_of_every_day_it_has(
    nan_on_the_20th: tuple[House, Ran, dict[str, Status]],
) -> None:
    ran = nan_on_the_20th[1]
    for name in ("currency", "known_fields", "contract"):
        assert len(ran.of("core/spend", name)) == 4, name
    for name in ("ties_out", "duplicates", "unparsed_dollars"):
        assert {"2026-11-21", "2026-11-22", "2026-11-23"} <= set(ran.of("core/spend", name)), name


def test_a_refused_day_does_not_make_the_other_checks_of_its_range_red(
    nan_on_the_20th: tuple[House, Ran, dict[str, Status]],
) -> None:
    ran = nan_on_the_20th[1]
    for name in ("ties_out", "duplicates", "unparsed_dollars"):
        of_others = {when: one.passed for when, one in ran.of("core/spend", name).items()}
        of_others.pop("2026-11-20", None)
        assert all(of_others.values()), name
