from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from upath import UPath

from openai_costs.outputs.alerts.evaluation import evaluate
from openai_costs.questions.reconciliation.findings import QUESTION, found
from openai_costs.questions.rules import Facts
from openai_costs.settings import Gateway
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.candidate import Finding
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.mart.cost_reconciliation import EXPLANATIONS, CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import day
from openai_costs_tests.questions.gateway_bypass.test_findings import registry


def gap(when: int, cause: str, billed: str, metered: str, **said: object) -> dict[str, object]:
    difference = Decimal(billed) - Decimal(metered)
    return {
        "day": day(when),
        "connection": "acme",
        "provider": "openai",
        "api_key_id": "key_ana",
        "model": "gpt-5.4",
        "level": "key",
        "billed_usd": Decimal(billed),
        "metered_usd": Decimal(metered),
        "gap_usd": difference,
        "cause": cause,
        "is_settled": True,
        "is_within_tolerance": False,
        **dict.fromkeys((f"{part}_usd" for part in EXPLANATIONS), Decimal(0)),
    } | said


def said_of(*gaps: dict[str, object]) -> pl.DataFrame:
    return found(pl.DataFrame([*gaps], schema=CostReconciliation.types()))


def test_the_days_of_a_cause_are_one_finding_with_both_numbers() -> None:
    said = said_of(gap(4, "cached_tokens", "10", "10.85"), gap(6, "cached_tokens", "2", "2.15"))
    assert Finding.broken_rules(said) == []
    row = said.row(0, named=True)
    assert (row["rule"], row["subject_id"]) == ("reconciliation.gap", "acme/cached_tokens")
    assert (row["since_day"], row["day"], row["impact_usd"]) == (day(4), day(6), Decimal(1))
    assert "billed 12.00, metered 13.00 USD, -1.00 USD from 2026-11-04" in row["because"]
    assert "key_ana with gpt-5.4 -1.00" in row["because"]


@pytest.mark.parametrize(
    "said",
    [
        {"is_within_tolerance": True},
        {"is_settled": False},
        {"cause": "bypass"},
        {"cause": "agrees"},
    ],
)
def test_what_is_small_unsettled_or_told_elsewhere_is_no_finding(said: dict[str, object]) -> None:
    assert said_of(gap(4, "cached_tokens", "10", "5") | said).is_empty()


MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("metered", "found_on", "until"), [(20, [day(20)], day(20)), (None, [], None)]
)
def test_days_that_the_meter_was_not_read_for_open_and_close_nothing(
    tmp_path: Path, metered: int | None, found_on: list[object], until: object
) -> None:
    lake, numbers = Lake(UPath(tmp_path)), range(15, 23)
    known = {"connection": "acme", "source": "costs", "state": "settled"}
    blank = dict.fromkeys(Coverage.types())
    state = [blank | known | {"day": day(n)} for n in numbers]
    state += [one | {"connection": "beta", "state": "missing"} for one in state]  # never read
    lake.replace_whole(Coverage, pl.DataFrame(state, schema=Coverage.types()))
    gaps = [gap(n, "cached_tokens", "10", "11", is_settled=n <= (metered or 0)) for n in numbers]
    both = pl.DataFrame(gaps, schema=CostReconciliation.types())
    lake.replace(
        CostReconciliation, [Batch(both, {Slice("acme", day(n)): MORNING for n in numbers})]
    )
    read = {Slice("gateway", day(n)): MORNING for n in range(15, (metered or 0) + 1)}
    lake.replace(GatewaySpend, [Batch(GatewaySpend.no_rows(), read)])
    lake.replace_whole(GatewayTokens, registry(23))
    gateway = Gateway(litellm_url="https://gateway.example")
    settings = Settings(home="", config_file=Path("openai_costs.toml"), gateway=gateway)
    evaluation = evaluate(lake, Facts(settings, MORNING), [QUESTION])
    assert evaluation.candidates["day"].to_list() == found_on
    assert max(evaluation.judged.of("reconciliation.gap", "acme"), default=None) == until
