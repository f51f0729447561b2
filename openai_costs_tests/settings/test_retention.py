from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from openai_costs.settings.retention import Retention, first_kept_day

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("months", "first"),
    [
        (1, date(2026, 10, 1)),
        (10, date(2026, 1, 1)),
        (11, date(2025, 12, 1)),
        (12, date(2025, 11, 1)),
        ("forever", None),
    ],
)
def test_a_month_is_kept_until_all_of_its_days_are_older(
    months: int | str, first: date | None
) -> None:
    given = Retention.model_validate({"months": months}).months
    assert given is not None
    assert first_kept_day(given, TODAY) == first


@pytest.mark.parametrize("months", ["soon", 0, -1, 1.5, True, 1201, "12"])
def test_what_is_no_number_of_months_is_refused(months: object) -> None:
    with pytest.raises(ValidationError, match=r"whole number of months from 1 to 1,200"):
        Retention.model_validate({"months": months})


def test_nothing_is_decided_before_the_settings_name_a_number() -> None:
    assert Retention().months is None
