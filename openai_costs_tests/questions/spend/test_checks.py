from __future__ import annotations

from decimal import Decimal

import polars as pl

from openai_costs.orchestration.checks import WARN, Verdict
from openai_costs.questions.spend.checks import ATTRIBUTED, DAYS_LISTED, _attribution_agrees
from openai_costs.questions.spend.control_totals import attributed, day_sums, method_sums
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.org import NOW, day
from openai_costs_tests.questions.spend.acme import ledger, line


def verdict(*missing: str) -> Verdict:
    """What is said of days on which so much of ten dollars is missing from the attribution."""
    lines = ledger(*(line("app", None, "10") | {"day": day(i)} for i in range(1, len(missing) + 1)))
    lost = pl.Series([Decimal(usd) for usd in missing], dtype=lines["billed_usd"].dtype)
    methods = method_sums(
        lines.with_columns(pl.col("billed_usd") - lost, attribution=pl.lit("allocated"))
    )
    control = [
        ("acme", one, Decimal(10), None, None, True, True, NOW.replace(tzinfo=None))
        for one in lines["day"].to_list()
    ]
    read = pl.DataFrame(control, schema=SpendControl.types(), orient="row")
    sums = attributed(read, day_sums(lines), methods, day_sums(lines))
    return _attribution_agrees(sums, methods, day(len(missing)))


def test_a_run_has_one_verdict_with_the_dollars_of_each_method() -> None:
    found = verdict("0", "0")
    assert (found.passed, found.because, found.day) == (True, ATTRIBUTED.promise, day(2))
    assert {name: Decimal(str(usd)) for name, usd in found.figures.items()} == {
        "direct_usd": 0,
        "key_owner_usd": 0,
        "allocated_usd": 20,
        "unattributed_usd": 0,
    }


def test_a_day_that_differs_is_named_with_the_sums_that_differ() -> None:
    found = verdict("0", "0.5")
    assert not found.passed
    assert found.because.startswith("2026-11-02 acme: the control total is $10.00, ")
    assert "mart.spend_attribution has $9.50 (difference -$0.50)" in found.because
    assert "2026-11-01" not in found.because


def test_noise_of_binary_sums_is_only_a_warning() -> None:
    assert verdict("0.0000000001").severity == WARN
    assert verdict("0.0000000001", "1").severity is None


def test_a_long_list_of_days_is_cut_and_counted() -> None:
    found = verdict(*["1"] * (DAYS_LISTED + 3))
    assert found.because.count("acme") == DAYS_LISTED
    assert found.because.endswith("and 3 more days")
