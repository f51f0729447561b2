"""Many days become rows at once; a day that cannot is found alone, and takes no other with it."""

from datetime import date
from typing import NamedTuple

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import TooPrecise
from openai_costs.sources.batching import Held, at_once
from openai_costs.storage.slices import Slice

SCHEMA = {"day": pl.Date(), "text": pl.String()}


class Text(NamedTuple):
    day: date
    text: str

    @property
    def key(self) -> Slice:
        return Slice("one", self.day)


class Builder:
    """Refuses a page that says bad, and rounds what is long for one day only."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, pages: list[Text], /, *, may_round: bool) -> pl.DataFrame:
        self.calls += 1
        for page in pages:
            if page.text == "bad":
                raise PageRefused(str(page.day), "text", "is bad")
            if page.text == "long" and not may_round:
                raise TooPrecise
        return pl.DataFrame(pages, SCHEMA, orient="row")


pages = st.lists(
    st.builds(Text, st.dates(date(2026, 11, 1), date(2026, 11, 4)), st.sampled_from("abc"))
    | st.builds(Text, st.dates(date(2026, 11, 1), date(2026, 11, 4)), st.just("long"))
    | st.builds(Text, st.dates(date(2026, 11, 3), date(2026, 11, 4)), st.just("bad")),
    max_size=8,
)


@given(pages)
def test_a_day_with_a_bad_page_is_refused_and_no_other_day_loses_a_row(found: list[Text]) -> None:
    held = Held(pages=list(found))
    rows = at_once(held, Builder(), lambda page: page.key)
    bad = {page.key for page in found if page.text == "bad"}
    good = [page for page in found if page.key not in bad]
    assert set(held.refused) == bad
    assert sorted(rows.rows()) == sorted(good)
    assert sorted(held.pages) == sorted(good)


def test_days_that_are_all_plain_are_built_by_one_call() -> None:
    builder = Builder()
    at_once(Held(pages=[Text(date(2026, 11, n), "a") for n in (1, 2, 3)]), builder, lambda p: p.key)
    assert builder.calls == 1
