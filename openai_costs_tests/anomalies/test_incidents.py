from __future__ import annotations

import polars as pl

from openai_costs.anomalies.detect import detect
from openai_costs.anomalies.incidents import incidents
from openai_costs_tests.anomalies.series import flat, frame, on

Flag = tuple[str, int, float, float]


def verdicts(*flags: Flag) -> pl.DataFrame:
    """Anomalies as (series_id, day number, expected, cost)."""
    rows = [
        (name, on(number), cost, True, "spike", 6.0, "up" if cost >= expected else "down", expected)
        for name, number, expected, cost in flags
    ]
    names = ("series_id", "day", "cost", "is_anomaly", "kind", "score", "direction", "expected")
    return pl.DataFrame(rows, schema=list(names), orient="row")


def test_one_incident_at_four_levels_is_one_row_told_of_the_user() -> None:
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
    belongs = pl.DataFrame({"child": ["key:k"], "parent": ["project:q"]})
    assert incidents(flags, belongs).height == 2


def test_the_detector_s_verdicts_of_a_spike_come_down_to_one_incident() -> None:
    ada, bo = [*flat(60), 900.0, *flat(5)], flat(66, 300.0)
    both = [sum(one) for one in zip(ada, bo, strict=True)]
    found = detect(frame(org=both, project_p=both, user_ada=ada, user_bo=bo))
    (row,) = incidents(found).rows(named=True)
    assert (row["series_id"], row["start"]) == ("user:ada", on(60))


def test_no_anomalies_are_no_incidents() -> None:
    assert incidents(verdicts(("org", 3, 1, 2)).clear()).is_empty()
