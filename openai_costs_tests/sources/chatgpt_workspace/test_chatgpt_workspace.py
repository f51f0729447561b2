"""Cost events of ChatGPT: whole files, events once, credits, and when a day is complete."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs
from pydantic import ValidationError
from upath import UPath

from openai_costs.kernel.days import ONE_DAY, DayRange, midnight
from openai_costs.kernel.errors import CurrencyRefused, IncompleteRead
from openai_costs.settings.load import Settings
from openai_costs.sources.chatgpt_workspace.assets import CHATGPT_WORKSPACE
from openai_costs.sources.chatgpt_workspace.endpoints import kept_days
from openai_costs.sources.chatgpt_workspace.frames import control, ledger, used
from openai_costs.sources.chatgpt_workspace.people import ChatGptPeople, listing
from openai_costs.sources.chatgpt_workspace.protocol import Events, list_files, read_files
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.sources.provider import silent
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.users import Users
from openai_costs_tests.sources.openai.wire import converse
from openai_costs_tests.sources.vendor_pages import DAY, kept, recorded

ONE = CHATGPT_WORKSPACE.connection(name="one", organization_id="org-kestrel")
PRICED = CHATGPT_WORKSPACE.connection(
    name="one", organization_id="org-kestrel", usd_per_credit="0.04"
)
LIST = recorded("chatgpt_logs", "two_files")
FILES = {
    "log_plain": recorded("chatgpt_file", "plain"),
    "log_late": recorded("chatgpt_file", "late_and_again"),
}
DAYS = DayRange(DAY, DAY)


def answer(get: Get, listed: bytes = LIST) -> Body:
    return FILES.get(get.path.rpartition("/")[2], listed)


def read(days: DayRange = DAYS, answer: Callable[[Get], Body] = answer) -> tuple[Events, list[Get]]:
    """The events of some days, and what was asked for them."""
    found, listed = converse(list_files("org-kestrel", days), answer)
    _, asked = converse(read_files(found, days.first), answer)
    return found, [*listed, *asked]


def of_day(**change: bytes) -> KeptRead:
    return kept("chatgpt_workspace", {**read()[0].bodies(DAY), **change})


def rows(connection: object = ONE, **change: bytes) -> Batch:
    (batch,) = ledger([of_day(**change)], connection)  # type: ignore[arg-type]  # of this provider
    return batch


def test_credits_have_no_dollars_without_a_rate_and_the_day_says_so():
    batch = rows()
    assert (batch.frame["quantity"].sum(), set(batch.frame["quantity_unit"])) == (
        Decimal("31.5"),
        {"credits"},
    )
    assert batch.frame["billed_usd"].sum() == 0
    assert batch.remarks == {
        Slice("one", DAY): "31.5 credits have no dollars: set usd_per_credit of this connection"
    }


def test_a_rate_makes_estimated_dollars_of_credits_and_is_kept_with_them():
    batch = rows(PRICED)
    assert batch.frame["billed_usd"].sum() == Decimal("1.26")
    assert batch.page_usd == {Slice("one", DAY): Decimal(0)}
    assert batch.unbilled_page_usd == {Slice("one", DAY): {"estimated": Decimal("1.26")}}
    assert set(batch.frame["cost_basis"]) == {"estimated"}
    assert set(batch.frame["tags"]) == {'{"usd_per_credit":"0.04"}'}
    assert batch.remarks == {}


def test_who_used_which_product_and_model_is_in_each_row():
    found = rows().frame.select("user_id", "product", "model", "usage_type", "quantity")
    assert sorted(found.rows(), key=str) == [
        ("user-ada", "codex", "gpt-5.6-sol", "cached_input", Decimal("0.2")),
        ("user-ada", "codex", "gpt-5.6-sol", "input", Decimal(3)),
        ("user-ada", "codex", "gpt-5.6-sol", "output", Decimal(3)),
        ("user-bo", "work", "gpt-5.6-sol", "output", Decimal("0.3")),
        (None, "codex", "gpt-5-codex", None, Decimal(25)),
    ]


def test_an_event_that_comes_again_counts_once_also_from_another_file():
    bodies = read()[0].bodies(DAY)
    twice = [name for name in bodies if b"evt_a2" in bodies[name]]
    assert twice == ["file.log_plain", "file.log_late"]
    assert rows().frame.filter(user_id="user-bo")["quantity"].to_list() == [Decimal("0.3")]


def test_a_file_of_several_days_is_cut_into_days_with_every_line_verbatim():
    found, _ = read(DayRange(DAY, DAY + ONE_DAY))
    assert found.bodies(DAY)["file.log_plain"] == FILES["log_plain"]
    both = found.bodies(DAY)["file.log_late"] + found.bodies(DAY + ONE_DAY)["file.log_late"]
    assert both == FILES["log_late"]
    listed = json.loads(found.bodies(DAY + ONE_DAY)["logs"])["data"]
    assert listed == [json.loads(LIST)["data"][1]]


def test_a_file_with_another_digest_is_not_used():
    shorter = {name: body[:-2] for name, body in FILES.items()}

    def cut(get: Get) -> Body:
        return shorter.get(get.path.rpartition("/")[2], LIST)

    with pytest.raises(IncompleteRead, match="log_late has a SHA-256 other than"):
        read(DAYS, cut)


def test_the_list_is_paged_by_the_end_of_its_last_file():
    whole = json.loads(LIST)
    pages = [
        {"data": [one], "has_more": more, "last_end_time": one["end_time"]}
        for one, more in zip(whole["data"], (True, False), strict=True)
    ]

    def paged(get: Get) -> Body:
        is_second = dict(get.params).get("after") == "2026-11-14T14:00:00Z"
        return answer(get, json.dumps(pages[is_second]).encode())

    found, asked = read(DAYS, paged)
    assert [file.id for file in found.files] == ["log_plain", "log_late"]
    assert [dict(one.params).get("after") for one in asked[:2]] == [
        "2026-11-14T00:00:00Z",
        "2026-11-14T14:00:00Z",
    ]


@pytest.mark.parametrize(
    ("until", "is_settled"),
    [("2026-11-15T05:10:00Z", True), ("2026-11-15T05:00:00Z", False), (None, False)],
)
def test_a_day_settles_only_when_a_file_ends_more_than_five_hours_after_it(
    until: str | None,
    is_settled: bool,  # noqa: FBT001 - a case
):
    logs = json.dumps({"until": until, "data": []}).encode()
    (batch,) = control([read_on(DAY + 3 * ONE_DAY, logs)], PRICED, timedelta(hours=24))
    assert batch.frame.select("billed_usd", "estimated_usd", "is_settled", "is_over").rows() == [
        (Decimal(0), Decimal("1.26"), is_settled, is_settled)
    ]


def read_on(day: date, logs: bytes) -> KeptRead:
    """The day, read at the beginning of another one."""
    one = of_day(logs=logs)
    return replace(one, manifest=structs.replace(one.manifest, read_at=midnight(day)))


@pytest.mark.parametrize(("days", "is_settled"), [(4, False), (5, True)])
def test_a_day_after_which_no_file_comes_settles_four_days_after_its_end(
    days: int,
    is_settled: bool,  # noqa: FBT001 - a case
):
    one = read_on(DAY + days * ONE_DAY, b'{"until":null,"data":[]}')
    (batch,) = control([one], ONE, timedelta(hours=24))
    assert batch.frame.select("is_settled", "is_over").rows() == [(is_settled, is_settled)]


def test_a_cost_in_another_unit_refuses_the_day():
    other = FILES["log_plain"].replace(b"CREDITS", b"USD", 1)
    (refused,) = rows(**{"file.log_plain": other}).refused.values()
    assert isinstance(refused, CurrencyRefused)
    assert "credits only" in str(refused)


def test_tokens_of_the_same_events_are_usage():
    (batch,) = used([of_day()], ONE)
    found = batch.frame.select(
        "endpoint", "user_id", "input_tokens", "input_cached_tokens", "output_tokens"
    )
    assert found.rows() == [
        ("codex", "user-ada", 1_000_000, 400_000, 50_000),
        ("work", "user-bo", None, None, 5_000),
    ]


def test_a_day_whose_first_files_may_be_gone_is_not_read_again():
    days = kept_days(datetime(2026, 11, 28, 15, tzinfo=UTC))
    assert (str(days.first), str(days.last)) == ("2026-10-30", "2026-11-28")


def test_people_are_listed_from_kept_events_with_their_last_use(tmp_path: Path):
    archive, (found, _) = Archive(UPath(tmp_path)), read()
    at = datetime(2026, 11, 20, 6, tzinfo=UTC)
    whose = ("chatgpt_workspace", "one", "costs", DAY, at)
    archive.keep(DayRead(*whose, found.requests(DAY), found.bodies(DAY)))
    settings = Settings(home=str(tmp_path), config_file=tmp_path / "none", connections=(ONE,))
    reader = ChatGptPeople(settings, archive, lambda: at)

    def listed(day: object) -> list[tuple[object, ...]]:
        (one,) = reader.read(ONE, DayRange(day, day), silent)  # type: ignore[arg-type]  # a day
        archive.keep(one)
        kept_list = KeptRead(UPath("raw"), one.manifest(), dict(one.bodies))
        (users,) = (listing(kind, kept_list).rows for kind in KINDS if kind.table is Users)
        return users.select("id", "name", "email", "last_used_at").rows()

    ada, bo = listed(DAY + 6 * ONE_DAY)
    assert ada[:3] == ("user-ada", "Ada Voss", "ada@kestrel.example")
    assert str(bo[3]) == "2026-11-14 11:00:00"
    assert len(listed(DAY + 80 * ONE_DAY)) == 2
    assert listed(DAY + 91 * ONE_DAY) == []


@pytest.mark.parametrize(
    "setting", [{"organization_id": "ws-1"}, {"usd_per_credit": "0"}, {"usd_per_credit": "much"}]
)
def test_a_workspace_id_and_a_rate_that_is_none_are_refused(setting: dict[str, str]):
    with pytest.raises(ValidationError):
        CHATGPT_WORKSPACE.connection(**{"name": "one", "organization_id": "org-a"} | setting)
