from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from openai_costs.outputs.report.coarse_facts import Coarse, coarse_dollars
from openai_costs.outputs.report.explorer_data import facts_of, page_facts, reduced
from openai_costs_tests.outputs.report.bill import attribution, of_rows

if TYPE_CHECKING:
    from openai_costs.outputs.report.explorer_data import Facts
    from openai_costs_tests.outputs.report.bill import Line

LINES = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from([None, "a", "b"]),
        st.sampled_from([None, "u", "v", "w"]),
        st.sampled_from(["0", "1", "-1", "0.000000000000000001", "-2.5", "700"]),
    )
)


def coarse_of(lines: list[Line], most: int) -> Coarse:
    """The dollars of lines, a day at a time."""
    coarse = Coarse()
    for day in sorted({line[0] for line in lines}):
        rows = attribution([line for line in lines if line[0] == day])
        has_credits = bool(rows["billed_usd"].min() < 0)  # type: ignore[operator]  # of a decimal
        asked = coarse_dollars(rows.lazy(), coarse.kept, has_credits=has_credits)
        coarse = coarse.with_more(asked.collect(), most)
    return coarse


def reduced_at_once(lines: list[Line], most: int) -> tuple[Facts, list[str]]:
    """The same dollars, added up before any dimension is kept together."""
    finest = coarse_dollars(attribution(lines).lazy(), Coarse().kept, has_credits=True)
    whole = Coarse((finest.collect(),)).facts()
    facts, together = reduced((whole, whole.clear()), most, Coarse().together)
    return facts, [one.id for one in together]


@given(LINES, st.integers(1, 12))
def test_dollars_of_parts_of_the_days_are_those_of_all_days(lines: list[Line], most: int) -> None:
    (dollars, _), together = reduced_at_once(lines, most)
    coarse = coarse_of(lines, most)
    assert list(coarse.together) == together
    if lines:
        assert sorted(coarse.facts().rows(), key=str) == sorted(dollars.rows(), key=str)


def test_dollars_that_have_no_room_for_tiers_are_the_same_as_with_them() -> None:
    lines: list[Line] = [(1, "proj_a", f"user-{i}", "1") for i in range(5)]
    told = of_rows(attribution=attribution(lines))
    (coarse, counts), dropped = page_facts(told._replace(coarse=coarse_of(lines, 3)))
    (fine, others), also = reduced(facts_of(told), most=3)
    assert dropped == also
    assert coarse.equals(fine)
    assert counts.equals(others)
