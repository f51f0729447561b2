from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl

from openai_costs.kernel.formatting import dollars, signed_dollars
from openai_costs.kernel.money import MONEY
from openai_costs.orchestration.asset_previews import MOST_BARS, MOST_CHARACTERS
from openai_costs.questions.anomalies.preview import preview, top_five
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs_tests.questions.anomalies.bill import on
from openai_costs_tests.questions.anomalies.test_findings import day


def verdicts(days: int) -> pl.DataFrame:
    rows = [
        (name, on(n), Decimal(1_234_567), Decimal(n))
        for n in range(days)
        for name in ("org:a/", "org:b/", "key:a/k")
    ]
    schema = {"series_id": pl.String, "day": pl.Date, "cost": MONEY, "expected": MONEY}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_the_newest_day_is_the_sum_of_all_organizations() -> None:
    said = preview(verdicts(30))
    assert said.startswith(f"**$2,469,134.00** on {on(29)}")
    assert "$58.00 were expected" in said
    assert f"{on(29) - timedelta(days=MOST_BARS - 1)} to {on(29)}" in said
    assert len(said) < MOST_CHARACTERS


def test_without_days_a_sentence_says_so() -> None:
    assert preview(verdicts(0)) == "No day has settled yet, so none was evaluated."
    assert top_five(SpendAnomalies.no_rows()) == "Spend was normal on every evaluated day."


def test_the_five_newest_incidents_are_in_the_table_and_fit_the_page() -> None:
    name = "a|name" + "x" * 99
    days = [day(n, incident_id=f"i{n}", since_day=on(n), series_name=name) for n in range(8)]
    said = top_five(pl.DataFrame(days, schema=SpendAnomalies.types()))
    assert [str(on(number)) in said for number in range(8)] == [False] * 3 + [True] * 5
    assert "API key" in said
    assert all(row.count("|") == 5 for row in said.splitlines())
    assert len(said) < MOST_CHARACTERS


def test_dollars_are_written_as_people_write_them() -> None:
    assert [dollars(Decimal(usd)) for usd in ("1234.5", "-3", "0", "-0.001")] == [
        "$1,234.50",
        "-$3.00",
        "$0.00",
        "$0.00",
    ]
    assert [signed_dollars(Decimal(usd)) for usd in ("2", "-2")] == ["+$2.00", "-$2.00"]
