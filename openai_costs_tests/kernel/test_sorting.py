import random
from datetime import date, timedelta

import polars as pl
import pytest

from openai_costs.kernel import sorting
from openai_costs.kernel.sorting import in_order

NAMES = [None, "", "a", "a ", "B", "b", "é", "proj_10", "proj_9"]
KEYS = ["connection", "day", "name", "is_long", "id"]


@pytest.fixture(autouse=True)
def every_frame_has_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "MANY_ROWS", 0)


def rows(seed: int, height: int) -> pl.DataFrame:
    some = random.Random(seed)  # noqa: S311 - rows of a test
    first = date(2026, 1, 1)
    return pl.DataFrame(
        {
            "connection": ["acme"] * height,
            "day": [first + timedelta(some.randrange(4)) for _ in range(height)],
            "name": [some.choice(NAMES) for _ in range(height)],
            "is_long": [some.choice([None, False, True]) for _ in range(height)],
            "id": some.sample(range(-height, height), height),
        },
        {
            "connection": pl.String(),
            "day": pl.Date(),
            "name": pl.String(),
            "is_long": pl.Boolean(),
            "id": pl.Int64(),
        },
    )


@pytest.mark.parametrize("height", [0, 1, 2, 500])
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_in_the_order_of_polars(seed: int, height: int) -> None:
    found = rows(seed, height)
    assert in_order(found, KEYS).equals(found.sort(KEYS))


def test_keys_with_more_combinations_than_there_are_numbers_are_sorted_by_polars(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sorting, "MOST_PLACES", 10)
    found = rows(1, 500)
    assert in_order(found, KEYS).equals(found.sort(KEYS))


def test_rows_that_have_the_same_values_all_stay() -> None:
    found = pl.DataFrame({"name": ["a"] * 3, "id": [1, 2, 3]})
    assert sorted(in_order(found, ["name"])["id"]) == [1, 2, 3]
