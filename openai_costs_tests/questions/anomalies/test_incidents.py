from __future__ import annotations

import polars as pl

from openai_costs.questions.anomalies.incidents import incidents, members
from openai_costs_tests.questions.anomalies.series import detect, flat, frame, on

Flag = tuple[str, int, float, float]
SLOW = (("user:ada", 30.0), ("org", 100.0))


def verdicts(*flags: Flag) -> pl.DataFrame:
    """Anomalies as (series_id, day number, expected, cost)."""
    rows = [
        (name, on(number), cost, True, "spike", 6.0, "up" if cost >= expected else "down", expected)
        for name, number, expected, cost in flags
    ]
    names = ("series_id", "day", "cost", "is_anomaly", "kind", "score", "direction", "expected")
    return pl.DataFrame(rows, schema=list(names), orient="row")


def test_one_incident_at_four_levels_is_one_row_reported_of_the_user() -> None:
    (row,) = incidents(
        verdicts(
            ("org", 3, 900, 1310),
            ("project:p", 3, 90, 500),
            ("model:m", 3, 50, 440),
            ("user:ada", 3, 1, 400),
        )
    ).rows(named=True)
    assert row["series_id"] == "user:ada"
    assert row["also_at"] == ["model:m", "org", "project:p"]
    assert row["incident_id"] == f"up/user:ada/{on(3)}"


def test_days_close_together_are_one_incident_from_the_first_to_the_last() -> None:
    told = incidents(verdicts(("key:k", 3, 1, 9), ("key:k", 5, 1, 9), ("key:k", 20, 1, 9)))
    assert told.select("start", "end").rows() == [(on(3), on(5)), (on(20), on(20))]
    assert told["excess"].to_list() == [16, 8]


def test_dollars_that_do_not_match_are_two_incidents() -> None:
    told = incidents(verdicts(("project:p", 3, 0, 1000), ("user:ada", 3, 0, 20)))
    assert told["series_id"].to_list() == ["project:p", "user:ada"]


def test_a_rise_and_a_drop_on_one_day_are_two_incidents() -> None:
    assert incidents(verdicts(("project:p", 3, 0, 50), ("key:k", 3, 50, 0))).height == 2


def test_what_is_known_not_to_belong_together_stays_apart() -> None:
    flags = verdicts(("project:p", 3, 0, 50), ("project:q", 3, 0, 50), ("key:k", 3, 0, 50))
    hierarchy = pl.DataFrame({"child": ["key:k"], "parent": ["project:q"]})
    assert incidents(flags, hierarchy).height == 2


def test_the_detector_s_verdicts_of_a_spike_come_down_to_one_incident() -> None:
    ada, bo = [*flat(60), 900.0, *flat(5)], flat(66, 300.0)
    both = [sum(one) for one in zip(ada, bo, strict=True)]
    found = detect(frame(org=both, project_p=both, user_ada=ada, user_bo=bo))
    (row,) = incidents(found).rows(named=True)
    assert (row["series_id"], row["start"]) == ("user:ada", on(60))


def test_no_anomalies_are_no_incidents() -> None:
    assert incidents(verdicts(("org", 3, 1, 2)).clear()).is_empty()


KIN = pl.DataFrame(
    {
        "child": ["user:ada", "user:bo", "key:k", "user:ada", "user:bo", "key:k"],
        "parent": ["project:p", "project:p", "user:ada", "org", "org", "org"],
    }
)


def lasting(*flags: Flag) -> pl.DataFrame:
    return verdicts(*flags).with_columns(kind=pl.lit("slow_leak"))


def test_two_people_of_one_project_are_two_incidents() -> None:
    flags = verdicts(("user:ada", 3, 0, 90), ("user:bo", 3, 0, 60), ("project:p", 3, 0, 150))
    told = incidents(flags, KIN)
    assert told.select("series_id", "also_at").rows() == [
        ("user:ada", ["project:p"]),
        ("user:bo", []),
    ]


def test_a_sum_that_several_people_make_is_no_incident_of_its_own() -> None:
    flags = verdicts(("user:ada", 3, 0, 50), ("user:bo", 3, 0, 50), ("org", 3, 0, 190))
    assert set(incidents(flags, KIN)["series_id"]) == {"user:ada", "user:bo"}


def test_who_comes_days_after_a_sum_is_an_incident_of_his_own() -> None:
    early = [("project:p", number, 0.0, 100.0) for number in range(3, 8)]
    assert incidents(verdicts(*early, ("user:ada", 7, 0, 90)), KIN).height == 2
    assert incidents(verdicts(*early, ("user:ada", 5, 0, 90)), KIN).height == 1


def test_after_another_user_the_next_is_an_incident_of_its_own() -> None:
    flags = verdicts(
        *(("project:p", number, 0.0, 100.0) for number in (3, 4)),
        ("user:ada", 4, 0, 90),
        ("user:bo", 4, 0, 80),
    )
    told = dict(incidents(flags, KIN).select("series_id", "also_at").iter_rows())
    assert told == {"project:p": ["user:ada"], "user:bo": []}


def test_a_rise_that_lasts_goes_on_after_days_of_silence_a_spike_does_not() -> None:
    days = (("user:ada", 3, 0.0, 90.0), ("user:ada", 13, 0.0, 90.0))
    assert incidents(lasting(*days)).height == 1
    assert incidents(verdicts(*days)).height == 2


def test_an_incident_is_reported_as_what_it_was_on_its_first_day() -> None:
    flags = verdicts(("user:ada", 3, 0, 20), ("user:ada", 4, 0, 20))
    kinds = pl.Series("kind", ["level_shift", "spike"])
    assert incidents(flags.with_columns(kinds))["kind"].to_list() == ["level_shift"]


def test_a_slow_rise_of_a_sum_alone_is_reported_from_its_second_day() -> None:
    assert incidents(lasting(("org", 3, 0, 90))).is_empty()
    assert incidents(lasting(("org", 3, 0, 90), ("org", 4, 0, 90))).height == 1
    assert incidents(lasting(("user:ada", 3, 0, 90))).height == 1


def test_a_slow_rise_of_a_sum_is_that_of_who_makes_a_quarter_of_it() -> None:
    both = lasting(*((name, day, 0.0, usd) for name, usd in SLOW for day in (3, 4)))
    (row,) = incidents(both, KIN).rows(named=True)
    assert (row["series_id"], row["also_at"]) == ("user:ada", ["org"])


def test_every_flagged_day_has_its_incident() -> None:
    flags = verdicts(("user:ada", 3, 0, 90), ("project:p", 3, 0, 90), ("user:ada", 20, 0, 90))
    told = members(flags, KIN)
    assert told.select("incident_id", "series_id").rows() == [
        (f"up/user:ada/{on(3)}", "project:p"),
        (f"up/user:ada/{on(3)}", "user:ada"),
        (f"up/user:ada/{on(20)}", "user:ada"),
    ]
