from datetime import date

import polars as pl

from openai_costs.questions.lost_days import lost_days, with_lost_days
from openai_costs_tests.org import day
from openai_costs_tests.questions.test_coverage import states


def test_a_day_that_its_provider_has_deleted_says_so_unless_it_is_settled() -> None:
    days = pl.concat([states("smpm"), states("m", "bolt")])
    found = with_lost_days(days, {"acme": 30}, date(2026, 12, 4))
    deletes = "The provider deletes a day after 30 days, and"
    assert found["reason"].to_list() == [
        None,
        f"{deletes} no one read this one in time.",
        f"{deletes} this one was last read before it had settled.",
        None,
        None,
    ]
    assert lost_days(found) == {"acme": [day(2)]}
