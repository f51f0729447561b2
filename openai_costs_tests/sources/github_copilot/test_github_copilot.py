"""Copilot's bill: net and gross, by person and as a whole, and what an answer must be."""

import json
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.errors import ErrorAnswer, IncompleteRead, RequestRefused
from openai_costs.sources.github_copilot.assets import GITHUB_COPILOT
from openai_costs.sources.github_copilot.endpoints import era_of, error, kept_days
from openai_costs.sources.github_copilot.frames import ledger
from openai_costs.sources.github_copilot.seats import listing
from openai_costs.sources.github_copilot.source import talk
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.storage.archive import Archive
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.users import Users
from openai_costs_tests.sources.openai.wire import converse, in_turn
from openai_costs_tests.sources.vendor_pages import DAY, kept, recorded

ONE = GITHUB_COPILOT.connection(name="one", organization_id="kestrel-labs")
WHOLE, PERSON = (
    recorded("github_copilot_bill", case) for case in ("whole_organization", "one_person")
)
SEATS = recorded("github_copilot_seats", "active_and_idle")
BOTH = {"whole": WHOLE, "user.ada-l": PERSON}
NOTHING_KEPT = Archive(UPath("nothing/kept"))


def ledger_of(**bodies: bytes) -> Batch:
    (batch,) = ledger([kept("github_copilot", bodies)], ONE)
    return batch


def test_net_is_billed_and_gross_is_the_list_price_also_where_net_is_below_zero():
    rows = ledger_of(whole=WHOLE).frame.sort("line_item")
    assert rows.select("line_item", "billed_usd", "list_usd", "quantity").rows() == [
        ("Copilot AI Credits | Claude Sonnet 5", Decimal(6), Decimal(10), Decimal(1000)),
        ("Copilot AI Credits | GPT-5.6", Decimal("-0.3"), Decimal(2), Decimal(200)),
    ]
    assert set(rows["product"]) == {"copilot"}


def test_a_line_of_nothing_with_a_list_price_stays():
    (row,) = ledger_of(whole=recorded("github_copilot_bill", "free_of_charge")).frame.rows(
        named=True
    )
    assert (row["billed_usd"], row["list_usd"]) == (Decimal(0), Decimal("0.5"))


def test_what_no_person_explains_stays_without_a_person():
    batch = ledger_of(**BOTH)
    assert sorted(
        batch.frame.select("model", "user_id", "billed_usd").rows(), key=lambda row: str(row[:2])
    ) == [
        ("Claude Sonnet 5", "ada-l", Decimal("4.2")),
        ("Claude Sonnet 5", None, Decimal("1.8")),
        ("GPT-5.6", None, Decimal("-0.3")),
    ]
    assert batch.page_usd == {Slice("one", DAY): Decimal("5.7")}
    assert batch.frame["billed_usd"].sum() == Decimal("5.7")


def test_a_missing_net_amount_refuses_the_day_and_names_it():
    body = json.loads(WHOLE)
    del body["usageItems"][1]["netAmount"]
    (refused,) = ledger_of(whole=json.dumps(body).encode()).refused.values()
    assert "usageItems[1].netAmount" in str(refused)


def answered(get: Get) -> Body | Exception:
    """GitHub's answers: seats, the bill of Ada and the bill of everyone."""
    if get.path.endswith("/seats"):
        return SEATS
    return PERSON if ("user", "ada-l") in get.params else WHOLE


def test_only_people_who_were_active_on_the_day_or_later_are_asked_for():
    pages, asked = converse(talk(ONE, NOTHING_KEPT)(DAY), answered)
    assert set(pages.pages) == {"whole", "user.ada-l"}
    assert [dict(one.params).get("user") for one in asked] == [None, None, "ada-l"]


def test_seats_are_asked_for_once_in_a_reading():
    days = talk(ONE, NOTHING_KEPT)
    converse(days(DAY), answered)
    _, asked = converse(days(DAY), answered)
    assert not any(one.path.endswith("/seats") for one in asked)


def test_costs_alone_ask_for_no_person():
    costs_only = ONE.model_copy(update={"access": "costs_only"})
    for connection in (costs_only, ONE.model_copy(update={"by_person": False})):
        _, asked = converse(talk(connection, NOTHING_KEPT)(DAY), answered)
        assert len(asked) == 1


def test_where_seats_are_refused_the_whole_is_kept_and_the_reason_is_a_remark():
    answer = ErrorAnswer("one", 403, "/seats", "Resource not accessible")
    given, _ = converse(talk(ONE, NOTHING_KEPT)(DAY), in_turn(WHOLE, RequestRefused(answer)))
    assert set(given.pages) == {"whole"}
    read = kept("github_copilot", {"whole": WHOLE}, absent=given.absent)
    (batch,) = ledger([read], ONE)
    assert "Resource not accessible" in batch.remarks[Slice("one", DAY)]
    assert set(batch.frame["grouping"]) == {"line_item"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timePeriod": {"year": 2026, "month": 11}}, "the response is for 2026-11"),
        ({"timePeriod": {"year": 2026, "month": 11, "day": 13}}, "for 2026-11-13"),
        ({"organization": "heron"}, "for 'heron'"),
        ({"user": "ada-l"}, "without a user was requested, .* for 'ada-l'"),
        ({"usageItems": None}, "not a bill"),
    ],
)
def test_an_answer_about_something_else_is_refused(change: dict[str, object], words: str):
    body = json.dumps(json.loads(WHOLE) | change).encode()
    with pytest.raises(IncompleteRead, match=words):
        converse(talk(ONE, NOTHING_KEPT)(DAY), lambda _get: body)


def test_a_refused_bill_is_no_zero():
    refused = RequestRefused(ErrorAnswer("one", 404, "/usage", "Not Found"))
    with pytest.raises(RequestRefused, match="Not Found"):
        converse(talk(ONE, NOTHING_KEPT)(DAY), lambda _get: refused)


def test_each_era_has_an_endpoint_of_its_own():
    paths = [era_of(day).path("a").split("/")[-2] for day in (date(2026, 5, 31), date(2026, 6, 1))]
    assert paths == ["premium_request", "ai_credit"]
    rows = ledger_of(whole=recorded("github_copilot_bill", "premium_requests")).frame
    assert rows.select("billed_usd", "quantity_unit").rows() == [(Decimal("0.48"), "requests")]


def test_it_answers_for_twenty_four_months_and_the_running_day():
    days = kept_days(date(2026, 12, 31))
    assert (days.first, days.last) == (date(2025, 1, 1), date(2026, 12, 31))


def test_a_seat_is_a_user_with_a_last_activity():
    read = kept("github_copilot", {"seats.0": SEATS})
    kinds = {kind.table: listing(kind, read) for kind in KINDS}
    seats = kinds[Users].rows.with_columns(pl.col("last_used_at").cast(pl.Date))
    assert seats.select("id", "status", "role", "last_used_at").rows() == [
        ("bo-s", None, "business", None),
        ("cy-t", "pending_cancellation", "business", date(2026, 11, 10)),
        ("ada-l", None, "business", DAY),
    ]
    assert kinds[Users].complete == {"seats"}
    assert (kinds[Projects].rows.height, kinds[Projects].complete) == (0, frozenset())


def test_an_error_is_quoted_in_its_own_words():
    found = error(recorded("github_copilot_bill", "not_found", 404))
    assert (found.message, found.code) == ("Not Found", "404")
