from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.questions.reconciliation.findings import Names, candidates
from openai_costs.questions.reconciliation.pools import PARTS
from openai_costs.questions.reconciliation.reconcile import Sides, reconciliation
from openai_costs.settings import Gateway, Upstream
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs_tests.examples import examples
from openai_costs_tests.questions.reconciliation.sides import (
    DAY,
    bill,
    counted,
    frame,
    line,
    meter,
    priced,
    sides,
    tokens,
)

GATEWAY = Gateway()
NEXT = DAY + timedelta(days=1)


def reconciled(given: Sides, gateway: Gateway = GATEWAY, *days: date) -> pl.DataFrame:
    found = reconciliation(given, gateway, days or [DAY])
    assert CostReconciliation.broken_rules(found) == []
    assert found.filter(pl.sum_horizontal(PARTS) != pl.col("gap_usd")).is_empty()
    return found


def causes(found: pl.DataFrame) -> set[str]:
    return set(found["cause"])


def parts(found: pl.DataFrame) -> dict[str, Decimal]:
    sums = found.select(pl.col(PARTS).sum()).row(0, named=True)
    return {name.removesuffix("_usd"): usd for name, usd in sums.items() if usd}


USED = {"input": 1_000_000, "cached_input": 1_000_000, "output": 100_000}
SAME = counted("8.5", 1_000_000, 1_000_000, 100_000)


def test_a_bill_and_a_meter_that_agree_have_a_capture_rate_of_one():
    found = reconciled(sides(priced(USED), meter(SAME)))
    assert causes(found) == {"agrees"}
    assert set(found["capture_rate"]) == {Decimal(1)}
    assert found["usage_type"].to_list() == ["cached_input", "input", "output"]
    assert set(found["model"]) == {"gpt-5"}
    assert set(found["level"]) == {"key"}


def test_a_key_without_a_gateway_token_is_bypass_whatever_the_meter_says():
    found = reconciled(sides(priced(USED, api_key_id="key_rogue"), meter()))
    assert parts(found) == {"bypass": Decimal("8.5")}
    assert causes(found) == {"bypass"}


def test_a_key_that_moved_has_the_project_of_its_day_whatever_other_days_a_run_has():
    of_day = pl.concat([priced(USED, project_id="proj_new"), priced(USED, day=NEXT)])
    alone = reconciled(sides(priced(USED, project_id="proj_new"), meter(SAME)))
    together = reconciled(sides(of_day, meter(SAME)), GATEWAY, DAY, NEXT).filter(day=DAY)
    assert together.equals(alone)
    assert set(alone["project_id"]) == {"proj_new"}


POOL = Gateway(
    upstreams=[Upstream(connection="acme", api_key_id=key) for key in ("key_maps", "key_b")]
)


def test_requests_without_a_token_are_compared_with_the_pool_of_declared_keys():
    """They were a gap of their own, and all that the keys were billed was missing on the meter."""
    both = pl.concat([priced(USED), priced(USED, api_key_id="key_b")])
    of_no_token = counted("9", 1_000_000, 2_000_000, 100_000, token_id=None)
    of_a_token = counted("8", 1_000_000, 0, 100_000)
    found = reconciled(sides(both, meter(of_no_token, of_a_token)), POOL)
    assert set(found.select("level", "api_key_id", "connection").rows()) == {
        ("gateway", None, "acme")
    }
    assert causes(found) == {"agrees"}


def test_a_pool_that_only_requests_without_a_token_use_is_one_on_their_days_and_for_their_models():
    plain, of_no_token = SAME | {"day": NEXT}, SAME | {"token_id": None}
    other = {"model": "gpt-4.1", "line_item": "gpt-4.1, input"}
    ledger = pl.concat(
        [priced(USED), priced(USED, day=NEXT), priced({"input": 1_000_000}, **other)]
    )
    calls = meter(of_no_token, plain, counted("5", 1_000_000, 0, 0, model="gpt-4.1"))
    found = reconciled(sides(ledger, calls), POOL, DAY, NEXT)
    assert causes(found) == {"agrees"}
    assert set(found.select("day", "model", "level").rows()) == {
        (DAY, "gpt-5", "gateway"),
        (DAY, "gpt-4.1", "key"),
        (NEXT, "gpt-5", "key"),
    }


def test_spend_without_a_key_bypassed_the_gateway():
    found = reconciled(sides(priced(USED, api_key_id=None), meter()))
    assert causes(found) == {"bypass"}


def test_a_credit_without_a_key_is_no_bypass():
    credit = bill(line(None, "-25", api_key_id=None, line_item="credit"))
    found = reconciled(sides(credit, meter()))
    assert parts(found) == {"credits": Decimal(-25)}
    assert causes(found) == {"credits"}


@pytest.mark.parametrize("kind", [None, "input"])
@pytest.mark.parametrize("key", ["key_maps", "key_rogue"])
def test_a_credit_on_a_key_is_a_cause_of_its_own_and_accuses_no_one(kind: str | None, key: str):
    credit = bill(line(kind, "-25", api_key_id=key, line_item="credit"))
    found = reconciled(sides(credit, meter()))
    assert parts(found) == {"credits": Decimal(-25)}
    assert causes(found) == {"credits"}
    assert found["capture_rate"].to_list() == [Decimal(0)]
    assert candidates(found, Names()).is_empty()


def test_a_refund_beside_usage_leaves_tokens_prices_and_the_rest_of_the_gap_as_they_were():
    refund = bill(line("input", "-3", api_key_id="key_maps", line_item="refund"))
    found = reconciled(sides(pl.concat([priced(USED), refund]), meter(SAME)))
    assert parts(found) == {"credits": Decimal(-3)}
    assert causes(found) == {"credits"}
    assert found.filter(usage_type="input")["billed_tokens"].to_list() == [1_000_000]


def test_a_refund_hides_no_tokens_that_are_missing_on_the_meter():
    refund = bill(line(None, "-25", api_key_id="key_maps", line_item="refund"))
    some = counted("4.25", 500_000, 500_000, 50_000)
    found = reconciled(sides(pl.concat([priced(USED), refund]), meter(some)))
    assert parts(found) == {"credits": Decimal(-25), "missing_on_meter": Decimal("4.25")}
    assert causes(found) == {"missing_on_meter"}


def test_a_negative_quantity_corrects_usage_and_is_no_credit():
    more = USED | {"input": 1_200_000}
    corrected = bill(line("input", "-1", -200_000, line_item="gpt-5, input"))
    found = reconciled(sides(pl.concat([priced(more), corrected]), meter(SAME)))
    assert "credits" not in parts(found)
    assert found.filter(usage_type="input")["billed_tokens"].to_list() == [1_000_000]


def test_a_key_is_registered_as_long_as_its_token_was_listed():
    gone = tokens({"is_current": False, "last_seen_day": DAY})
    bills = pl.concat([priced(USED), priced(USED, day=NEXT)])
    found = reconciled(sides(bills, meter(SAME), gone), GATEWAY, DAY, NEXT)
    assert dict(found.group_by("day").agg(pl.col("cause").first()).rows()) == {
        DAY: "agrees",
        NEXT: "bypass",
    }


def test_different_cached_tokens_are_the_cause_even_when_dollars_are_close():
    more = counted("8.95", 1_100_000, 900_000, 100_000)
    found = reconciled(sides(priced(USED), meter(more)))
    assert parts(found) == {"cached_tokens": Decimal("-0.45")}
    assert causes(found) == {"cached_tokens"}


def test_a_gap_within_the_tolerance_agrees_and_keeps_its_parts():
    found = reconciled(sides(priced(USED), meter(counted("8.495", 1_000_000, 1_000_000, 100_000))))
    assert causes(found) == {"agrees"}
    assert parts(found) == {"price_differs": Decimal("0.005")}
    strict = Gateway(tolerance_pct=Decimal(0), tolerance_usd=Decimal(0))
    assert causes(reconciled(sides(priced(USED), meter(SAME)), strict)) == {"agrees"}


def test_a_model_without_a_price_is_unpriced_and_never_zero_dollars_well_metered():
    unpriced = counted(None, 1_000_000, 1_000_000, 100_000)
    found = reconciled(sides(priced(USED), meter(unpriced)))
    assert parts(found) == {"unpriced_model": Decimal("8.5")}
    assert causes(found) == {"unpriced_model"}


def test_requests_to_a_router_without_a_price_leave_the_dollars_of_the_others_alone():
    lines = bill(line("input", "7.50", 10_000_000, model="gpt-5.4-mini"))
    seen = counted("7.50", 10_000_000, 0, 0, model="gpt-5.4-mini")
    router = counted(None, 1_600, 0, 18, model="auto")
    found = reconciled(sides(lines, meter(seen, router)))
    assert found["metered_usd"].sum() == Decimal("7.50")
    assert causes(found) == {"agrees"}


def test_metered_dollars_without_a_model_are_there_once():
    lines = bill(line("input", "7.50", 10_000_000, model="gpt-5.4-mini"))
    seen = counted("7.50", 10_000_000, 0, 0, model="gpt-5.4-mini")
    blank = counted("0.50", 666_667, 0, 0, model=None)
    found = reconciled(sides(lines, meter(seen, blank)))
    assert found["metered_usd"].sum() == Decimal("8.00")
    assert parts(found) == {"missing_on_bill": Decimal("-0.5")}


def test_a_registered_key_the_meter_did_not_see_is_missing_on_the_meter():
    other = meter(counted("1", 1, 0, 0) | {"token_id": "tok_other"})
    registry = tokens({}, {"token_id": "tok_other", "openai_api_key_id": "key_other"})
    found = reconciled(sides(priced(USED), other, registry))
    of_maps = found.filter(api_key_id="key_maps")
    assert parts(of_maps) == {"missing_on_meter": Decimal("8.5")}
    assert parts(found.filter(api_key_id="key_other")) == {"missing_on_bill": Decimal(-1)}


def test_what_one_side_has_a_day_later_is_the_day_boundary():
    bills = pl.concat([priced({"output": 1_000_000}), priced({"output": 3_000_000}, day=NEXT)])
    seen = meter(counted("45", 0, 0, 1_500_000), counted("75", 0, 0, 2_500_000, day=NEXT))
    found = reconciled(sides(bills, seen), GATEWAY, DAY, NEXT)
    assert dict(found.select("day", "day_boundary_usd").rows()) == {DAY: -15, NEXT: 15}
    assert causes(found) == {"day_boundary"}
    assert parts(found) == {}


def test_days_that_lack_in_the_same_direction_are_not_exchanged():
    bills = pl.concat([priced({"output": 1_000_000}), priced({"output": 1_000_000}, day=NEXT)])
    seen = meter(counted("15", 0, 0, 500_000), counted("15", 0, 0, 500_000, day=NEXT))
    assert causes(reconciled(sides(bills, seen), GATEWAY, DAY, NEXT)) == {"missing_on_meter"}


def test_a_day_that_may_still_move_gives_no_other_reason():
    open_day = pl.DataFrame(
        {"connection": ["acme"], "day": [DAY], "is_settled": [False]},
    )
    found = reconciled(
        sides(priced(USED), meter(counted("4", 500_000, 1_000_000, 100_000)), bill_days=open_day)
    )
    assert causes(found) == {"late_or_unsettled"}
    assert set(found["is_settled"]) == {False}


def test_a_day_the_meter_was_not_read_for_is_late_and_not_missing():
    unread = pl.DataFrame(schema={"day": pl.Date, "is_settled": pl.Boolean})
    found = reconciled(sides(priced(USED), meter(), meter_days=unread))
    assert causes(found) == {"late_or_unsettled"}


def test_a_project_the_gateway_knows_without_a_key_is_matched_as_a_whole():
    by_project = tokens({"openai_api_key_id": None, "openai_project_id": "proj_maps"})
    two_keys = pl.concat(
        [priced({"output": 1_000_000}), priced({"output": 1_000_000}, api_key_id="key_b")]
    )
    found = reconciled(sides(two_keys, meter(counted("60", 0, 0, 2_000_000)), by_project))
    assert found.select("level", "project_id", "api_key_id", "cause").rows() == [
        ("project", "proj_maps", None, "agrees")
    ]


def test_an_unmapped_token_explains_nothing():
    unknown = tokens({"openai_api_key_id": None, "mapping": "none", "confidence": "none"})
    found = reconciled(sides(priced(USED), meter(SAME), unknown))
    by_level = {
        row["level"]: row
        for row in found.group_by("level")
        .agg(pl.col("cause").first(), pl.col("unexplained_usd").sum())
        .rows(named=True)
    }
    assert by_level["unmapped"]["unexplained_usd"] == Decimal("-8.5")
    assert by_level["unmapped"]["cause"] == "unexplained"
    assert by_level["key"]["cause"] == "bypass"


def test_declared_keys_that_a_token_may_choose_from_are_compared_together():
    nowhere = tokens({"openai_api_key_id": None, "mapping": "none", "confidence": "none"})
    declared = tuple(
        Upstream(connection="acme", api_key_id=key) for key in ("key_maps", "key_search")
    )
    found = reconciled(sides(priced(USED), meter(SAME), nowhere), Gateway(upstreams=declared))
    assert (causes(found), set(found["level"])) == ({"agrees"}, {"gateway"})
    leak = priced({"output": 280_000}, api_key_id="key_search")
    given = sides(pl.concat([priced(USED), leak]), meter(SAME), nowhere)
    assert parts(reconciled(given, Gateway(upstreams=declared))) == {
        "missing_on_meter": Decimal("8.40")
    }


def test_a_declared_key_whose_token_is_gone_is_missing_on_the_meter():
    gone = tokens({"is_current": False, "last_seen_day": DAY - timedelta(days=2)})
    declared = Gateway(upstreams=(Upstream(connection="acme", api_key_id="key_maps"),))
    assert causes(reconciled(sides(priced(USED), meter(), gone))) == {"bypass"}
    assert causes(reconciled(sides(priced(USED), meter(), gone), declared)) == {"missing_on_meter"}


def test_the_gateways_other_providers_are_not_on_this_bill():
    foreign = counted("9", 1, 1, 1, upstream_provider="anthropic", model="claude")
    assert causes(reconciled(sides(priced(USED), meter(SAME, foreign)))) == {"agrees"}


def test_the_gateways_own_name_of_a_model_is_the_providers():
    named = Gateway(models={"maps-large": "gpt-5"})
    found = reconciled(sides(priced(USED), meter(SAME | {"model": "maps-large"})), named)
    assert causes(found) == {"agrees"}


def test_two_declared_keys_of_one_project_are_compared_with_all_that_was_metered_for_it():
    by_project = tokens({"openai_api_key_id": None, "openai_project_id": "proj_maps"})
    keys = [
        Upstream(connection="acme", api_key_id=one, project_id="proj_maps")
        for one in ("key_maps", "key_b")
    ]
    two = pl.concat(
        [priced({"output": 1_000_000}), priced({"output": 1_000_000}, api_key_id="key_b")]
    )
    seen = meter(counted("45", 0, 0, 1_500_000))
    found = reconciled(sides(two, seen, by_project), Gateway(upstreams=tuple(keys)))
    assert parts(found) == {"missing_on_meter": Decimal(15)}


TUNED = "ft:gpt-4.1-mini-2025-04-14:acme:sup:AbC1"
TUNED_ON_THE_BILL = "ft-gpt-4.1-mini-2025-04-14"


def test_a_fine_tuned_model_is_one_model_on_the_bill_and_on_the_meter():
    lines = bill(
        line("input", "8", 10_000_000, model=TUNED_ON_THE_BILL),
        line("output", "3.2", 1_000_000, model=TUNED_ON_THE_BILL),
    )
    seen = counted("11.2", 10_000_000, 0, 1_000_000, model=TUNED)
    found = reconciled(sides(lines, meter(seen)))
    assert (set(found["model"]), causes(found)) == ({"ft-gpt-4.1-mini"}, {"agrees"})
    sums = found.select(pl.col("billed_usd", "metered_usd", "gap_usd").sum()).row(0)
    assert sums == (Decimal("11.2"), Decimal("11.2"), 0)


def test_the_usage_of_a_fine_tuned_model_finds_its_bill_line():
    reported = {
        "connection": "acme",
        "provider": "openai",
        "day": DAY,
        "endpoint": "completions",
        "project_id": "proj_maps",
        "api_key_id": "key_maps",
        "model": TUNED,
        "input_uncached_tokens": 10_000_000,
        "output_tokens": 1_000_000,
    }
    lines = bill(
        line("input", "8", model=TUNED_ON_THE_BILL), line("output", "3.2", model=TUNED_ON_THE_BILL)
    )
    seen = counted("11.2", 10_000_000, 0, 1_000_000, model=TUNED)
    found = reconciled(sides(lines, meter(seen), usage=frame(Usage, reported, [{}])))
    assert dict(found.select("usage_type", "billed_tokens").rows()) == {
        "input": 10_000_000,
        "output": 1_000_000,
    }


def test_a_bill_without_quantities_takes_the_tokens_of_the_usage_report():
    lines = bill(line("input", "5"), line("cached_input", "0.5"), line("output", "3"))
    reported = {
        "connection": "acme",
        "provider": "openai",
        "day": DAY,
        "endpoint": "completions",
        "project_id": "proj_maps",
        "api_key_id": "key_maps",
        "model": "gpt-5-2025-08-07",
        "input_uncached_tokens": 1_000_000,
        "input_cached_tokens": 1_000_000,
        "output_tokens": 100_000,
    }
    seen = meter(counted("8.95", 1_100_000, 900_000, 100_000))
    found = reconciled(sides(lines, seen, usage=frame(Usage, reported, [{}])))
    assert causes(found) == {"cached_tokens"}


def test_a_gateway_that_knows_of_no_cache_writes_takes_them_for_plain_input():
    lines = bill(
        line("input", "3", 600_000),
        line("cache_write", "2.5", 400_000),
        line("cached_input", "0.5", 1_000_000),
        line("output", "3", 100_000),
    )
    unaware = SAME | {"input_uncached_tokens": None, "input_cache_write_tokens": None}
    found = reconciled(sides(lines, meter(unaware)))
    assert parts(found) == {"cache_writes": Decimal("0.5")}


def test_a_key_billed_in_two_projects_is_laid_together_the_same_way_each_time():
    places = [{"project_id": name, "model": f"gpt-{n}"} for n, name in enumerate("abcdefgh")]
    ledger = bill(*(line("input", "5", 1_000_000, **place) for place in places))
    found = [reconciled(sides(ledger.sample(8, shuffle=True, seed=n), meter(SAME))) for n in (1, 2)]
    assert found[0].equals(found[1])
    assert set(found[0].filter(pl.col("metered_usd") != 0)["project_id"]) == {"a"}


def test_a_project_is_on_the_bill_of_its_own_connection_where_there_are_several():
    by_project = tokens({"openai_api_key_id": None, "openai_project_id": "proj_maps"})
    other = bill(line("input", "5", 1, connection="beta", project_id="proj_x", api_key_id="key_x"))
    given = sides(pl.concat([priced(USED), other]), meter(SAME), by_project)
    beta = given.bill_days.with_columns(connection=pl.lit("beta"))
    found = reconciled(replace(given, bill_days=pl.concat([given.bill_days, beta])))
    assert dict(found.select("connection", "cause").unique().rows()) == {
        "acme": "agrees",
        "beta": "bypass",
    }


def test_a_capture_rate_without_room_is_not_reported_and_stops_nothing():
    found = reconciled(sides(bill(line("input", "0.000000000000000001", 1)), meter(SAME)))
    assert found["capture_rate"].null_count() == found.height


def test_nothing_compared_with_nothing_is_nothing():
    assert reconciled(sides(Spend.no_rows(), GatewaySpend.no_rows())).is_empty()


amounts = st.decimals("0", "1000", places=12)
rows = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["key_maps", "key_rogue", None]),
        st.sampled_from(["input", "cached_input", "output", "web_search"]),
        amounts,
        st.none() | st.integers(0, 10**7),
    ),
    max_size=8,
    unique_by=lambda row: row[:3],
)
seen_rows = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["tok_maps", "tok_lost"]), amounts | st.none(),
              st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)),
    max_size=6, unique_by=lambda row: row[:2],
)  # fmt: skip


@settings(max_examples=examples(20), deadline=None)
@given(rows, seen_rows)
def test_every_dollar_of_both_sides_is_there_once_and_windows_agree_with_the_whole(
    billed: list[Any], seen: list[Any]
):
    days = [DAY + timedelta(days=n) for n in range(4)]
    ledger = bill(*(
        line(kind, str(usd), n, day=days[d], api_key_id=key) for d, key, kind, usd, n in billed
    ))  # fmt: skip
    metered = meter(*(
        counted(None if usd is None else str(usd), *n, day=days[d], token_id=token)
        for d, token, usd, *n in seen
    ))  # fmt: skip
    given = sides(ledger, metered)
    whole = reconciled(given, GATEWAY, *days)
    assert whole["billed_usd"].sum() == ledger["billed_usd"].sum()
    assert whole["metered_usd"].sum() == metered["metered_usd"].sum()
    one_by_one = pl.concat([reconciled(given, GATEWAY, day) for day in days])
    assert one_by_one.equals(whole)


@pytest.mark.parametrize("basis", ["metered", "estimated"])
def test_a_day_whose_tokens_are_valued_at_list_price_says_so(basis: str) -> None:
    made = reconciled(
        sides(priced({"input": 1_000_000}), meter(counted("4", 1_000_000, 0, 0, cost_basis=basis)))
    )
    assert set(made["metered_basis"]) == {basis}
