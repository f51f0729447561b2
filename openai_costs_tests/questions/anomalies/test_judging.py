from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
from polars.testing import assert_frame_equal

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies import judging
from openai_costs.questions.anomalies.judging import judge
from openai_costs.questions.anomalies.ledger_series import PAIR, History, SeriesGroup
from openai_costs.settings import Anomalies, AnomalyScope
from openai_costs_tests.questions.anomalies.series import flat, frame, on

if TYPE_CHECKING:
    import pytest

SPIKE = [*flat(60), 400.0, *flat(19)]


def group(connection: str, begins: int, *levels: str) -> SeriesGroup:
    """Levels of a connection that all spend the same: they rise on the same day."""
    names = [f"{level}:{connection}/" for level in levels]
    spend = frame(**dict.fromkeys(names, SPIKE[begins:])).with_columns(
        pl.col("day").dt.offset_by(f"{begins}d"), pl.col("cost").cast(MONEY)
    )
    pairs = [(name, f"org:{connection}/") for name in names if not name.startswith("org")]
    judged = set(spend["day"].unique()) - {on(79)}
    return SeriesGroup(connection, judged, spend, pl.DataFrame(pairs, PAIR, orient="row"))


GROUPS = [group("acme", 0, "org", "key"), group("labs", 50, "key"), group("harbour", 3, "org")]
STRICT = AnomalyScope(scope="organization", connection="harbour", minimum_usd=Decimal(1000))


def judged(*groups: SeriesGroup) -> pl.DataFrame:
    return judge(History(list(groups), {}, {}, {}), Anomalies(scopes=(STRICT,)))


def test_groups_that_are_judged_together_are_judged_as_each_by_itself() -> None:
    together = judged(*GROUPS)
    assert_frame_equal(together, pl.concat([judged(one) for one in GROUPS]))
    flagged = together.filter("is_anomaly")
    assert flagged["series_id"].to_list() == ["key:acme/", "org:acme/"]
    assert flagged["is_explained"].to_list() == [False, True]


def test_many_rows_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    together = judged(*GROUPS)
    monkeypatch.setattr(judging, "ROWS_AT_ONCE", GROUPS[0].spend.height + 1)
    assert_frame_equal(judged(*GROUPS), together)


def test_a_day_that_is_not_asked_for_has_no_verdict() -> None:
    assert on(79) not in set(judged(*GROUPS)["day"])
