from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.evaluation import evaluate
from openai_costs.questions.reconciliation.cause_words import CAUSES
from openai_costs.questions.reconciliation.findings import (
    GAP,
    NAMELESS,
    QUESTION,
    REPORTED_ELSEWHERE,
    Names,
    candidates,
)
from openai_costs.questions.rules import Facts
from openai_costs.settings import Gateway
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.candidate import Finding
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.mart.cost_reconciliation import EXPLANATIONS, CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import connected, day
from openai_costs_tests.questions.gateway_bypass.test_findings import registry

NAMES = Names({"key_ana": "ana laptop"}, {"proj_labs": "Labs"})


def gap(when: int, cause: str, billed: str, metered: str, **more: object) -> dict[str, object]:
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
        "metered_basis": "metered",
        "judged_by": "",
        "gap_usd": difference,
        "cause": cause,
        "is_settled": True,
        "is_within_tolerance": False,
        **dict.fromkeys((f"{part}_usd" for part in EXPLANATIONS), Decimal(0)),
    } | more


def reported(*gaps: dict[str, object], names: Names = NAMES) -> pl.DataFrame:
    return candidates(pl.DataFrame([*gaps], schema=CostReconciliation.types()), names)


def test_dollars_metered_without_a_model_are_not_missing_at_the_model() -> None:
    named = gap(4, "missing_on_meter", "8.00", "7.50")
    unnamed = gap(4, "missing_on_bill", "0", "0.50", model=None)
    assert reported(named, unnamed).is_empty()
    assert reported(unnamed, named).is_empty()


@pytest.mark.parametrize(
    "elsewhere",
    [{"day": day(5)}, {"api_key_id": "key_ben"}, {"model": "gpt-4.1"}, {"connection": "labs"}],
)
def test_dollars_of_another_day_key_or_model_explain_nothing(elsewhere: dict[str, object]) -> None:
    named = gap(4, "missing_on_meter", "8.00", "7.50")
    other = gap(4, "missing_on_bill", "0", "0.50", model=None) | elsewhere
    assert sorted(reported(named, other)["impact_usd"]) == [Decimal("0.50")] * 2


def test_more_is_missing_than_was_metered_without_a_model() -> None:
    named = gap(4, "missing_on_meter", "80.00", "7.50")
    unnamed = gap(4, "missing_on_bill", "0", "0.50", model=None)
    assert max(reported(named, unnamed)["impact_usd"]) == Decimal("72.50")


def test_the_days_of_a_cause_are_one_finding_with_both_numbers() -> None:
    counted = {"usage_type": "cached_input", "billed_tokens": 900, "metered_tokens": 400}
    gaps = gap(4, "cached_tokens", "10", "10.85", **counted), gap(6, "cached_tokens", "2", "2.15")
    found = reported(*gaps)
    assert Finding.broken_rules(found) == []
    row = found.row(0, named=True)
    assert (row["rule"], row["subject_id"]) == ("reconciliation.gap", "acme/cached_tokens")
    assert (row["since_day"], row["day"], row["impact_usd"]) == (day(4), day(6), Decimal(1))
    assert (row["subject_kind"], row["subject_name"]) == (
        "gateway",
        "acme: cached tokens counted as plain input",
    )
    assert row["because"] == (
        "The bill has $1.00 less than the gateway's meter from 2026-11-04 to 2026-11-06: $12.00 "
        "billed, $13.00 metered. Main cause: cached tokens counted as plain input (500 tokens). "
        "Largest: API key ana laptop with gpt-5.4 -$1.00. Update the gateway, or correct how its "
        "export counts cached tokens."
    )


def test_every_cause_that_is_reported_has_words_and_a_next_step() -> None:
    assert {*CAUSES} == {*EXPLANATIONS} - {*REPORTED_ELSEWHERE}
    assert {
        row["rule"]
        for row in reported(*(gap(4, cause, "10", "5") for cause in CAUSES)).rows(named=True)
    } == {GAP.id}


def test_a_bill_above_the_meter_names_the_other_direction() -> None:
    (name,) = reported(gap(4, "cached_tokens", "10", "9"))["subject_name"]
    assert name == "acme: plain input counted as cached tokens"


def test_a_credit_or_a_refund_without_a_key_is_no_gap_of_the_meter() -> None:
    pool = {"api_key_id": None, "model": None}
    gaps = (
        gap(4, "missing_on_meter", "-60", "0", **pool),
        gap(4, "missing_on_meter", "33", "0", usage_type="scale_tier", **pool),
    )
    assert reported(*gaps).is_empty()
    assert reported(*gaps, gap(4, "missing_on_meter", "9", "0"))["impact_usd"].to_list() == [9]


def test_what_is_compared_is_named_and_the_rest_is_counted() -> None:
    gaps = (
        gap(4, "missing_on_meter", "50", "1", level="gateway", api_key_id=None),
        gap(
            4,
            "missing_on_meter",
            "40",
            "1",
            level="project",
            api_key_id=None,
            project_id="proj_labs",
        ),
        gap(4, "missing_on_meter", "30", "1", api_key_id="key_unknown"),
        gap(4, "missing_on_meter", "20", "1"),
    )
    (because,) = reported(*gaps)["because"]
    assert (
        "Largest: the gateway's keys together with gpt-5.4 +$49.00, project Labs with gpt-5.4 "
        "+$39.00, API key key_unknown with gpt-5.4 +$29.00 and 1 more."
    ) in because


def test_an_unexplained_gap_names_the_gateway_tokens_to_map() -> None:
    names = Names(unmapped=["maps-prod", "search"])
    gaps = gap(4, "unexplained", "0", "5", level="unmapped", api_key_id=None)
    (because,) = reported(gaps, names=names)["because"]
    assert "gateway tokens without an OpenAI key with gpt-5.4 -$5.00" in because
    assert because.endswith(
        "Map these gateway tokens to an OpenAI key or declare one for them: maps-prod, search."
    )


def test_the_largest_differences_of_two_keys_of_one_name_are_distinguished(tmp_path: Path) -> None:
    lake, keys = Lake(UPath(tmp_path)), ("key_1", "key_2")
    row = dict.fromkeys(ApiKeys.types()) | {"connection": "acme", "provider": "openai"}
    seen = {"first_seen_day": day(1), "last_seen_day": day(20), "is_current": True}
    listed = [row | seen | {"id": one, "name": "prod", "status": "active"} for one in keys]
    lake.replace_whole(ApiKeys, pl.DataFrame(listed, schema=ApiKeys.types()))
    covered = [("acme", "costs", day(4), "settled", None, None, None)]
    lake.replace_whole(Coverage, connected(covered))
    gaps = [gap(4, "cached_tokens", "10", "5", api_key_id=one) for one in keys]
    both = pl.DataFrame(gaps, schema=CostReconciliation.types())
    lake.replace(CostReconciliation, [Batch(both, {Slice("acme", day(4)): MORNING})])
    lake.replace(GatewaySpend, [Batch(GatewaySpend.no_rows(), {Slice("gateway", day(4)): MORNING})])
    lake.replace_whole(GatewayTokens, registry(23))
    settings = Settings(
        home="",
        config_file=Path("openai_costs.toml"),
        gateway=Gateway(litellm_url="https://gateway.example"),
    )
    marks = {("api_key", one): f" \u00b7 {one}" for one in keys}
    (because,) = QUESTION.ask(lake, Facts(settings, MORNING, marks))["because"]
    assert (
        "Largest: API key prod \u00b7 key_1 with gpt-5.4 +$5.00, "
        "API key prod \u00b7 key_2 with gpt-5.4 +$5.00." in because
    )


MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "more",
    [
        {"is_within_tolerance": True},
        {"is_settled": False},
        {"cause": "bypass"},
        {"cause": "agrees"},
        {"cause": "price_differs", "metered_basis": "estimated"},
    ],
)
def test_what_is_small_unsettled_or_reported_elsewhere_is_no_finding(
    more: dict[str, object],
) -> None:
    assert reported(gap(4, "cached_tokens", "10", "5") | more).is_empty()


@pytest.mark.parametrize(
    ("metered", "found_on", "until"), [(20, [day(20)], day(20)), (None, [], None)]
)
def test_days_that_the_meter_was_not_read_for_open_and_close_nothing(
    tmp_path: Path, metered: int | None, found_on: list[object], until: object
) -> None:
    lake, numbers = Lake(UPath(tmp_path)), range(15, 23)
    known = {"connection": "acme", "source": "costs", "state": "settled", "is_connected": True}
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


def test_the_dollars_are_of_the_thirty_days_that_the_title_and_the_view_name() -> None:
    every = [
        gap(1, cause, "3.00", "1.00", day=day(28) - step * ONE_DAY)
        for cause, first in (("missing_on_meter", 0), ("unexplained", 5))
        for step in range(first, 40)
    ]
    said = reported(*every).sort("day")
    assert said["impact_usd"].to_list() == [60, 60]
    assert said["since_day"].to_list() == [day(23) - 29 * ONE_DAY, day(28) - 29 * ONE_DAY]
    assert "from 2026-10-30 to 2026-11-28: $90.00 billed, $30.00 metered" in said["because"][1]
    assert (GAP.window_days, GAP.span) == (30, "in the last 30 days, through {day}")


def test_the_tokens_to_map_are_those_that_were_metered_lately_listed_or_not(tmp_path: Path) -> None:
    lake, known = Lake(UPath(tmp_path)), registry(23).row(0, named=True)
    named_key = {"mapping": "registry_file", "openai_api_key_id": "key_maps"}
    named = [
        known | {"token_id": "tok_idle", "name": "idle"},
        known | {"token_id": "tok_ghost", "status": "unlisted", "is_current": False},
        known | {"token_id": "tok_long_ago"},
        known | named_key | {"token_id": "tok_mapped"},
    ]
    lake.replace_whole(GatewayTokens, pl.DataFrame(named, schema=GatewayTokens.types()))
    days = dict.fromkeys(("tok_ghost", "tok_mapped", ""), day(20))
    days["tok_long_ago"] = date(2026, 9, 1)
    blank = dict.fromkeys(GatewaySpend.types()) | {
        "connection": "gateway",
        "cost_basis": "metered",
        "unpriced_tokens": 0,
        "is_unpriced": False,
        "is_partial": False,
    }
    metered = [blank | {"token_id": token, "day": when} for token, when in days.items()]
    frame = pl.DataFrame(metered, schema=GatewaySpend.types())
    reads = {Slice("gateway", when): MORNING for when in days.values()}
    assert lake.replace(GatewaySpend, [Batch(frame, reads)]).refused == {}
    gaps = [
        gap(20, "unexplained", "0", "5", level="unmapped", api_key_id=None),
        gap(20, "unexplained", "0", "7", connection="beta"),
    ]
    lake.replace(
        CostReconciliation,
        [
            Batch(
                pl.DataFrame(gaps, schema=CostReconciliation.types()),
                {Slice(one, day(20)): MORNING for one in ("acme", "beta")},
            )
        ],
    )
    of_both = [(one, "costs", day(20), "settled", None, None, None) for one in ("acme", "beta")]
    lake.replace_whole(Coverage, connected(of_both))
    gateway = Gateway(litellm_url="https://gateway.example")
    settings = Settings(home="", config_file=Path("openai_costs.toml"), gateway=gateway)
    unmapped, mapped = QUESTION.ask(lake, Facts(settings, MORNING)).sort("connection")["because"]
    assert f"to an OpenAI key or declare one for them: tok_ghost. {NAMELESS}" in unmapped
    assert mapped.endswith(CAUSES["unexplained"].step)
