from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from openai_costs.questions.anomalies.frame import VERDICT
from openai_costs.questions.anomalies.thresholds import Thresholds
from openai_costs_tests.examples import examples
from openai_costs_tests.questions.anomalies.series import (
    MONDAY,
    detect,
    flagged,
    flat,
    frame,
    on,
    shaped,
)

SATURDAY, SUNDAY = 5, 6


def weekdays(days: int, usd: float = 100.0) -> list[float]:
    return shaped(days, lambda number: 0.0 if number % 7 >= SATURDAY else usd)


def test_a_flat_series_with_a_spike_has_one_anomaly_on_the_day_of_the_spike() -> None:
    spend = frame(key_k=[*flat(60), 400.0, *flat(10)])
    assert flagged(spend, "key:k") == {on(60): "spike"}


def test_a_spike_says_what_was_expected_between_which_bounds_and_in_which_direction() -> None:
    spend = frame(key_k=[*flat(60), 400.0])
    (row,) = detect(spend).filter("is_anomaly").rows(named=True)
    assert 95 < row["expected"] < 105
    assert row["lower"] < row["expected"] < row["upper"] < 400
    assert row["score"] > 4.5
    assert row["direction"] == "up"


def test_two_days_in_a_row_that_are_nearly_high_are_news_on_the_second() -> None:
    wavy = shaped(62, lambda number: 100.0 + 20.0 * ((number * 7) % 5 - 2) / 2)
    for last in range(150, 400, 5):
        spend = frame(key_k=[*wavy[:60], last, last])
        found = flagged(spend, "key:k")
        if found:
            break
    assert found == {on(61): "spike"}


def test_seven_days_of_history_are_enough_for_a_large_spike() -> None:
    spend = frame(org=flat(40), key_k=[0.0] * 30 + flat(8) + [60_000.0])
    assert flagged(spend, "key:k")[on(38)] == "spike"


def test_a_series_that_is_quiet_at_weekends_is_no_news_on_monday() -> None:
    spend = frame(user_ada=weekdays(70))
    assert flagged(spend, "user:ada") == {}


def test_a_weekday_only_series_active_on_a_saturday_is_news_at_an_ordinary_amount() -> None:
    costs = weekdays(70)
    costs[56 + SATURDAY] = 80.0
    assert flagged(frame(user_ada=costs), "user:ada") == {on(56 + SATURDAY): "awake_at_the_weekend"}


def test_weekend_activity_on_saturday_and_sunday_is_news_on_both() -> None:
    costs = weekdays(70)
    costs[56 + SATURDAY] = costs[56 + SUNDAY] = 80.0
    found = flagged(frame(user_ada=costs), "user:ada")
    assert found == {
        on(56 + SATURDAY): "awake_at_the_weekend",
        on(56 + SUNDAY): "awake_at_the_weekend",
    }


def test_an_unheard_of_amount_at_a_weekend_is_a_spike() -> None:
    costs = weekdays(70)
    costs[56 + SATURDAY] = 5_000.0
    assert flagged(frame(user_ada=costs), "user:ada")[on(56 + SATURDAY)] == "spike"


def test_a_job_on_the_last_day_of_the_month_is_news_once_and_then_expected() -> None:
    ends = [number for number in range(31, 140) if on(number + 1).day == 1]
    costs = [500.0 if number in ends else usd for number, usd in enumerate(flat(140))]
    assert list(flagged(frame(key_job=costs), "key:job")) == [on(ends[0])]


def test_a_monthly_job_hides_no_rise_that_lasts() -> None:
    """Four jobs were the tail of the series, and a doubling stayed within it for good."""
    begins = date(2026, 6, 3)

    def cost(number: int) -> float:
        usual = 100.0 if on(number) < begins else 200.0
        return 6 * usual if on(number).day == 1 else usual

    found = flagged(frame(org=flat(180), key_k=shaped(180, cost)), "key:k")
    assert begins in found


def test_wild_days_that_meet_by_chance_stay_noise() -> None:
    """Of days at random, many have another about a month before: a job comes in each month."""
    wild = (13, 19, 30, 32, 50, 60, 73, 88, 94, 95, 99, 102, 109, 112, 172, 180, 186)
    costs = [400.0 if number in wild else usd for number, usd in enumerate(flat(200))]
    found = flagged(frame(org=flat(200), key_k=costs), "key:k")
    assert [day for day in found if day > on(150)] == []


def test_the_first_end_of_a_month_of_a_young_key_is_not_judged() -> None:
    ends = [number for number in range(140) if on(number + 1).day == 1]
    costs = [500.0 if number in ends else usd for number, usd in enumerate(flat(140))]
    assert flagged(frame(key_job=costs), "key:job") == {}


def test_a_new_key_that_spends_is_news_from_its_first_day() -> None:
    spend = frame(org=flat(70, 1000.0), key_new=[0.0] * 60 + flat(10, 200.0))
    assert flagged(spend, "key:new")[on(60)] == "new_spender"


def test_in_the_first_weeks_of_all_a_new_key_must_spend_on_two_days_in_a_row() -> None:
    spend = frame(org=flat(40, 1000.0), key_new=[0.0] * 30 + flat(10, 200.0))
    found = flagged(spend, "key:new")
    assert (min(found), found[on(31)]) == (on(31), "new_spender")


def test_a_new_key_of_small_days_is_news_when_they_come_to_the_limit() -> None:
    spend = frame(org=flat(40, 1000.0), key_new=[0.0] * 30 + [20.0] * 10)
    assert min(flagged(spend, "key:new")) == on(32)


def test_a_new_person_who_spends_what_others_spend_is_no_news() -> None:
    spend = frame(user_ada=flat(40, 200.0), user_bo=flat(40, 150.0), user_new=[0.0] * 30 + flat(10))
    assert flagged(spend, "user:new") == {}


def test_on_the_first_days_of_all_nothing_is_new() -> None:
    assert flagged(frame(key_k=flat(10, 500.0)), "key:k") == {}


def test_a_slow_leak_is_found_while_no_single_day_is_high() -> None:
    costs = shaped(110, lambda number: 100.0 * 1.03 ** max(0, number - 70))
    found = flagged(frame(key_k=costs), "key:k")
    assert "slow_leak" in found.values()
    assert min(found) > on(72)


def test_a_level_that_shifts_by_half_is_found_within_a_week() -> None:
    costs = shaped(100, lambda number: 100.0 if number < 70 else 135.0)
    found = flagged(frame(key_k=costs), "key:k")
    assert on(70) <= min(found) <= on(77)
    assert max(found) < on(99)


def test_a_rise_that_was_found_stays_open_over_lower_days_until_it_is_over() -> None:
    costs = flat(110)
    costs[70:82] = [145.0] * 6 + [122.0] * 3 + [145.0] * 3
    found = flagged(frame(key_k=costs), "key:k")
    rise = [on(number) for number in range(70, 82)]
    assert list(found) == [day for day in rise if day >= min(found)]
    assert min(found) < on(76)


def test_the_normal_range_of_every_day_holds_what_is_expected_of_it() -> None:
    leak = shaped(120, lambda number: 1.03 ** max(0, number - 60) * 100)
    shift = shaped(120, lambda number: 100 if number < 60 else 180)
    days = detect(frame(user_leak=leak, user_shift=shift))
    assert days.filter("is_anomaly", pl.col("cost") <= pl.col("upper")).height > 0
    outside = days.filter(~pl.col("expected").is_between("lower", "upper"))
    assert outside.is_empty()


def test_a_small_rise_is_found_when_the_days_of_a_month_add_up_to_much() -> None:
    costs = shaped(110, lambda number: 16.0 if number < 70 else 23.0)
    found = flagged(frame(key_k=costs), "key:k")
    assert set(found.values()) == {"slow_leak"}
    assert on(75) < min(found) < on(84)


def test_a_rise_of_so_few_dollars_that_a_month_of_it_is_little_is_not_reported() -> None:
    costs = shaped(110, lambda number: 4.0 if number < 70 else 5.75)
    assert flagged(frame(key_k=costs), "key:k") == {}


def test_a_rise_does_not_go_on_over_days_without_spend_of_a_weekly_job() -> None:
    weekly = shaped(140, lambda number: 0.0 if number % 7 else 100.0 if number < 84 else 400.0)
    spend = frame(org=flat(140, 1000.0), key_job=weekly)
    found = detect(spend).filter(pl.col("is_anomaly"), series_id="key:job")
    assert found.height > 0
    assert (found["cost"] > 0).all()


def test_a_sum_that_no_principal_explains_must_be_further_above_where_they_are_known() -> None:
    project, person = [*flat(60, 200.0), 300.0], [*flat(60, 20.0), 30.0]
    alone = frame(project_p=project)
    known = frame(project_p=project, **{f"user_{name}": person for name in "abcdefghij"})
    assert flagged(known, "user:a") == {}
    assert flagged(alone, "project:p") == {on(60): "spike"}
    assert flagged(known, "project:p") == {}


def test_a_slow_rise_of_a_sum_must_be_more_certain_where_its_principals_are_known() -> None:
    project = shaped(100, lambda number: 200.0 if number < 70 else 250.0)
    people = {f"user_{name}": [usd / 10 for usd in project] for name in "abcdefghij"}
    low = {name: [*costs[:70], *flat(30, 20.0)] for name, costs in people.items()}
    alone = flagged(frame(project_p=project), "project:p")
    known = flagged(frame(project_p=project, **low), "project:p")
    assert min(alone) < min([*known, on(99)])


def test_days_that_were_high_and_stay_above_the_old_level_are_one_story() -> None:
    spend = frame(key_k=[*flat(60), 200.0, 200.0, 200.0, 120.0, 120.0, 120.0, 120.0, *flat(8)])
    found = detect(spend, Thresholds(minimum_usd=65.0)).filter("is_anomaly")
    assert found["day"].to_list() == [on(number) for number in range(60, 67)]


def test_a_young_key_is_taken_to_be_steadier_than_a_young_person() -> None:
    young = [0.0] * 30 + flat(15) + [350.0]
    spend = frame(org=flat(46, 2000.0), key_k=young, user_ada=young)
    assert on(45) in flagged(spend, "key:k")
    assert on(45) not in flagged(spend, "user:ada")


def test_a_steady_series_that_stops_is_news_on_the_day_it_stops() -> None:
    spend = frame(org=flat(70, 300.0), key_k=flat(60) + [0.0] * 10)
    found = flagged(spend, "key:k")
    assert found[on(60)] == "drop"
    assert set(found.values()) == {"drop"}
    assert max(found) < on(66)


def test_an_excess_below_the_minimum_dollars_is_never_news() -> None:
    spend = frame(key_k=[*flat(60), 400.0])
    strict = detect(spend, scopes={"key": Thresholds(minimum_usd=1000.0)})
    assert not strict["is_anomaly"].any()


def test_unusual_days_in_a_row_are_news_when_together_they_come_to_the_minimum() -> None:
    spend = frame(key_k=[*flat(60), 200.0, 200.0, *flat(10)])
    found = detect(spend, Thresholds(minimum_usd=150.0)).filter("is_anomaly")
    assert found["day"].to_list() == [on(61)]


def test_a_series_own_knobs_win_over_those_of_its_level() -> None:
    spend = frame(key_k=[*flat(60), 400.0])
    scopes = {"key": Thresholds(minimum_usd=1000.0), "key:k": Thresholds()}
    assert detect(spend, scopes=scopes)["is_anomaly"].any()


def test_higher_sensitivity_narrows_the_expected_range() -> None:
    spend = frame(key_k=flat(60))
    widths = [
        detect(spend, Thresholds(sensitivity=one))
        .select(pl.col("upper") - pl.col("lower"))
        .tail(1)
        .item()
        for one in ("high", "normal", "low")
    ]
    assert widths == sorted(widths)


def test_a_project_is_high_together_with_the_user_who_made_it_so() -> None:
    for last, high in ((110.0, {}), (125.0, {on(60): "spike"})):
        ada = [*flat(60, 50.0), last]
        bo = shaped(61, lambda number: 60.0 + 12.0 * ((number * 7) % 5 - 2) / 2)
        both = [sum(one) for one in zip(ada, bo, strict=True)]
        spend = frame(org=both, project_p=both, user_ada=ada, user_bo=bo)
        assert flagged(spend, "user:ada") == {on(60): "spike"}
        assert flagged(spend, "project:p") == high


def test_a_leak_is_not_reported_of_a_project_that_it_is_little_of() -> None:
    ada = shaped(95, lambda number: 100.0 * 1.05 ** max(0, number - 70))
    bo = shaped(95, lambda number: 300.0 + 60.0 * ((number * 7) % 5 - 2) / 2)
    both = [sum(one) for one in zip(ada, bo, strict=True)]
    spend = frame(project_p=both, user_ada=ada, user_bo=bo)
    assert "slow_leak" in flagged(spend, "user:ada").values()
    assert flagged(spend, "project:p") == {}


def test_a_habit_explains_a_sum_only_where_someone_usually_spends() -> None:
    ada = shaped(92, lambda number: 400.0 if number % 9 == 0 else 90.0)
    ada[91] = 420.0
    here = [*flat(91, 250.0), 580.0]
    elsewhere = [*((2.0, 3.0, 6.0)[number * 7 % 5 % 3] for number in range(91)), 340.0]
    spend = frame(user_ada=ada, user_bo=flat(92, 160.0), project_p=here, model_m=elsewhere)
    assert on(91) not in flagged(spend, "user:ada")
    assert on(91) not in flagged(spend, "project:p")
    assert on(91) in flagged(spend, "model:m")


def test_no_rows_give_no_verdicts_of_the_same_shape() -> None:
    nothing = detect(frame(key_k=[1.0]).clear())
    assert nothing.is_empty()
    assert nothing.columns == list(VERDICT)


def test_dollars_may_be_exact_and_missing_days_cost_nothing() -> None:
    spend = frame(key_k=[*flat(30), 0.0, *flat(20)])
    exact = spend.filter(pl.col("cost") > 0).with_columns(pl.col("cost").cast(pl.Decimal(38, 18)))
    assert_frame_equal(detect(exact), detect(spend))
    assert Decimal(str(exact["cost"][0])) == 100


day_of_noise = st.floats(0, 9, allow_nan=False).map(lambda x: round(float(2.718281828**x), 2))


@settings(max_examples=examples(15), deadline=None)
@given(
    history=st.lists(st.one_of(st.just(0.0), day_of_noise), min_size=7, max_size=120),
    times=st.floats(10.01, 1000),
    level=st.sampled_from(["user", "key", "project", "model"]),
)
def test_a_material_day_above_ten_times_the_highest_of_ninety_is_always_reported(
    history: list[float], times: float, level: str
) -> None:
    history[0] = max(history[0], 1.0)
    highest = max([*history[-90:], 0.0])
    day = max(times * highest, 10.0 + 1.3 * max(history)) if highest else 500.0
    usual = [10_000.0] * (len(history) + 1)
    spend = frame(**{f"{level}_x": [*history, day], "org": usual, "user_all": usual})
    found = detect(spend, Thresholds(minimum_share=0.0)).filter(series_id=f"{level}:x")
    (last,) = found.tail(1).rows(named=True)
    assert (last["is_anomaly"], last["is_explained"]) == (True, False)
    assert last["upper"] < day


def test_a_key_of_a_week_is_reported_above_ten_times_its_highest_day_even_at_a_month_end() -> None:
    young = [0.0] * 47 + [40.0, 35.0, 38.0, 40.0, 36.0, 39.0, 40.0]
    assert on(55).day == 1
    for day, is_reported in ((390.0, False), (410.0, True)):
        spend = frame(org=flat(55, 1000.0), key_x=[*young, day])
        assert (on(54) in flagged(spend, "key:x")) == is_reported


def test_a_sum_is_explained_by_the_person_who_spent_about_its_excess() -> None:
    ada, bo = [*flat(60), 900.0, *flat(5)], flat(66, 300.0)
    both = [sum(one) for one in zip(ada, bo, strict=True)]
    spend = frame(project_p=both, project_q=both, user_ada=ada, user_bo=bo)
    hierarchy = pl.DataFrame({"child": ["user:ada"], "parent": ["project:p"]})
    found = detect(spend, hierarchy=hierarchy).filter(day=on(60)).filter("is_anomaly")
    assert dict(found.select("series_id", "is_explained").iter_rows()) == {
        "project:p": True,
        "project:q": False,
        "user:ada": False,
    }


def test_a_sum_that_rises_by_more_than_a_person_did_is_not_explained() -> None:
    ada = [*flat(60), 900.0]
    more = [*flat(60, 300.0), 2_700.0]
    found = detect(frame(project_p=more, user_ada=ada, key_k=flat(61))).filter(day=on(60))
    assert not found["is_explained"].any()
    assert set(found.filter("is_anomaly")["series_id"]) == {"project:p", "user:ada"}


def test_a_rise_of_a_program_must_be_more_certain_than_that_of_a_person() -> None:
    first = {}
    for level in ("user", "key"):
        costs = shaped(100, lambda number: 100.0 if number < 70 else 128.0)
        found = flagged(frame(**{f"{level}_x": costs}), f"{level}:x")
        first[level] = min(found)
    assert on(70) <= first["user"] < first["key"]


def test_two_nearly_high_days_after_a_reported_rise_are_not_a_new_episode() -> None:
    wavy = shaped(120, lambda number: 100.0 + 20.0 * ((number * 7) % 5 - 2) / 2)
    risen = [usd * (1.6 if number >= 80 else 1.0) for number, usd in enumerate(wavy)]
    quiet = flagged(frame(user_x=risen), "user:x")
    assert set(quiet.values()) == {"level_shift", "slow_leak"}


def test_the_upper_bound_of_a_noisy_series_is_not_above_ten_times_its_highest_day() -> None:
    wild = [0.3 * (1900.0 ** ((number * 37 % 60) / 59)) for number in range(60)]
    spend = frame(key_k=[*wild, 91_000.0])
    (row,) = detect(spend).filter(pl.col("day") == on(60)).rows(named=True)
    assert row["upper"] <= 10 * max(wild) < 10_000
    assert (row["is_anomaly"], row["kind"]) == (True, "spike")


@settings(max_examples=examples(8), deadline=None)
@given(
    costs=st.lists(st.floats(0, 2000).map(lambda usd: round(usd, 2)), min_size=75, max_size=90),
    cut=st.integers(20, 70),
)
def test_cutting_off_the_future_never_changes_the_past(costs: list[float], cut: int) -> None:
    other = [usd if number % 3 else 0.0 for number, usd in enumerate(costs)]
    spend = frame(org=[usd * 1.9 for usd in costs], user_ada=costs, key_k=other)
    until = MONDAY + timedelta(days=cut)
    early = detect(spend.filter(pl.col("day") <= until))
    assert_frame_equal(early, detect(spend).filter(pl.col("day") <= until))
