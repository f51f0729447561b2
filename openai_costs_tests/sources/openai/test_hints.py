from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.sources.notes import write_note
from openai_costs.sources.openai.costs.endpoints import LEDGER_GROUPINGS
from openai_costs.sources.openai.hints import Hints, Refusal, recall
from openai_costs_tests.sources.openai.wire import COARSEST, WITH_USERS, WITHOUT_USERS

TODAY = date(2026, 3, 20)
MARCH = DayRange(date(2026, 3, 1), date(2026, 3, 20))
REFUSED = Hints().refused(MARCH, (WITH_USERS,), TODAY)


def test_without_a_hint_every_grouping_is_asked_for():
    assert Hints().groupings(MARCH, TODAY) == LEDGER_GROUPINGS


def test_a_refused_grouping_is_not_asked_for_again():
    assert REFUSED.groupings(MARCH, TODAY) == (WITHOUT_USERS, COARSEST)


@pytest.mark.parametrize(
    ("first", "last", "is_asked"),
    [
        (date(2026, 2, 1), date(2026, 2, 28), True),
        (date(2026, 2, 1), date(2026, 3, 1), False),
        (date(2026, 3, 20), date(2026, 4, 1), False),
        (date(2026, 3, 21), date(2026, 4, 1), True),
    ],
)
def test_a_refusal_holds_for_its_window_and_no_other(
    first: date,
    last: date,
    is_asked: bool,  # noqa: FBT001
):
    assert (WITH_USERS in REFUSED.groupings(DayRange(first, last), TODAY)) is is_asked


@pytest.mark.parametrize(("days_later", "is_asked"), [(0, False), (29, False), (30, True)])
def test_a_refusal_is_believed_for_thirty_days(days_later: int, is_asked: bool):  # noqa: FBT001
    later = TODAY + timedelta(days=days_later)
    assert (WITH_USERS in REFUSED.groupings(MARCH, later)) is is_asked


def test_the_coarsest_grouping_is_always_asked_for():
    all_refused = Hints().refused(MARCH, LEDGER_GROUPINGS, TODAY)
    assert all_refused.groupings(MARCH, TODAY) == (COARSEST,)


def test_refusals_add_up_and_old_ones_are_forgotten():
    later = TODAY + timedelta(days=31)
    april = DayRange(date(2026, 4, 1), date(2026, 4, 20))
    assert REFUSED.refused(april, (WITHOUT_USERS,), later).refusals == (
        Refusal(WITHOUT_USERS, april.first, april.last, later),
    )


def test_a_refusal_does_not_forget_the_floor():
    assert Hints(TODAY).refused(MARCH, (WITH_USERS,), TODAY).floor == TODAY


@pytest.fixture(params=["disk", "object store"])
def note(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    folder = UPath(tmp_path) if request.param == "disk" else UPath(f"memory://{uuid4()}")
    return folder / "raw" / "openai" / "acme" / "learned.json"


def test_what_is_remembered_is_recalled(note: UPath):
    known = Hints(TODAY, REFUSED.refusals)
    write_note(note, known)
    assert recall(note) == known


def test_no_note_gives_no_hint(note: UPath):
    assert recall(note) == Hints()


@pytest.mark.parametrize(
    "said", [b"", b"{", b"\xff\xfe", b'{"floor": "long ago"}', b'{"refusals": 3}', b"[]"]
)
def test_a_note_that_cannot_be_read_gives_no_hint(note: UPath, said: bytes):
    write_note(note, Hints(TODAY))
    note.write_bytes(said)
    assert recall(note) == Hints()


def test_a_note_is_lines_that_a_person_can_read(note: UPath):
    write_note(note, Hints(TODAY, REFUSED.refusals))
    assert b'"floor": "2026-03-20"' in note.read_bytes()
