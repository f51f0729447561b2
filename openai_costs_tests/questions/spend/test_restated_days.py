from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openai_costs.kernel.days import DayRange
from openai_costs.questions.spend import restated_days
from openai_costs_tests.org import RESTATED_DAY, SETTLED_NOT_RESTATED, day, house

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from openai_costs.settings.connection import Connection
    from openai_costs.storage.archive import KeptRead


def test_a_day_that_stayed_the_same_is_cleaned_once_and_one_that_still_filled_up_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = house(tmp_path / "home")
    still_filling = datetime(2026, 11, 17, 18, tzinfo=UTC)
    again = SETTLED_NOT_RESTATED.replace(hour=13)
    for now in (still_filling, SETTLED_NOT_RESTATED, again):
        assert made.at(now).run(day(17), RESTATED_DAY, only=["raw/openai_costs"]).is_green
    cleaned: list[tuple[int, datetime]] = []
    original = restated_days._ledger  # noqa: SLF001 - what costs the time

    def noting(read: KeptRead, connection: Connection) -> object:
        cleaned.append((read.manifest.day.day, read.manifest.read_at))
        return original(read, connection)

    monkeypatch.setattr(restated_days, "_ledger", noting)
    days = DayRange(day(17), RESTATED_DAY)
    batches = list(restated_days.changes(made.archive, made.settings, days))
    assert [batch.frame.height for batch in batches] == [0]
    assert cleaned == [(17, SETTLED_NOT_RESTATED), (18, SETTLED_NOT_RESTATED)]
