from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import stamina
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    IncompleteRead,
    LookbackExceeded,
    MissingKey,
    PageRefused,
    ProviderUnavailable,
    ReadFailed,
)
from openai_costs.kernel.money import total
from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.options import USUAL, WireOptions
from openai_costs.sample.api.serving import InProcessTransport
from openai_costs.sample.company.organisation import Organisation, sample_organisation
from openai_costs.sample.faults.faults import FAULT_NAMES, Faults
from openai_costs.settings import Reading
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.costs.frames import (
    by_user_batches,
    control_batches,
    ledger_batches,
)
from openai_costs.sources.openai.costs.source import OpenAICosts
from openai_costs.sources.openai.hints import recall
from openai_costs.sources.openai.reader import first_day
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs_tests.sources.openai.wire import (
    COARSEST,
    WITH_USERS,
    WITHOUT_USERS,
    as_kept,
    asked_days,
    bucket,
    empty_days,
    grouping_of,
    page,
    result,
)

TODAY = date(2026, 11, 22)
NOON = datetime.combine(TODAY, time(12), UTC)
YEAR = sample_organisation(TODAY, days=365)
MONTH = sample_organisation(TODAY, days=30)
NEWCOMER = sample_organisation(TODAY, days=7)
"""Its older days are empty buckets, which makes long windows cheap."""

GRACE = Reading().grace


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def back(days: int) -> DayRange:
    """The last complete days."""
    return DayRange(ago(days), ago(1))


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


class Desk:
    """A source over the sample organisation, with an archive that outlives its runs."""

    def __init__(
        self,
        home: Path,
        organisation: Organisation = MONTH,
        *,
        options: WireOptions = USUAL,
        max_body_mb: int = 64,
        **connection: object,
    ) -> None:
        said = {"name": "acme", "base_url": "sample://literal", "start": date(2020, 1, 1)}
        self.connection = OpenAIConnection.model_validate(said | connection)
        self.archive = Archive(UPath(home))
        self.settings = Settings(
            home=str(home),
            config_file=home / "none.toml",
            connections=(self.connection,),
            reading=Reading(max_body_mb=max_body_mb),
        )
        self.now = NOON
        self.options = options
        self.organisation = organisation
        self.told: list[str] = []
        self.sent: list[tuple[tuple[str, str], ...]] = []

    def run(self, days: DayRange, spec: str = "") -> Iterator[DayRead]:
        app = create_app(
            self.organisation,
            now=lambda: self.now,
            faults=Faults.parse(spec),
            options=self.options,
        )
        wire = InProcessTransport(app)
        reach = Reach(lambda _connection: wire)
        source = OpenAICosts(self.settings, self.archive, lambda: self.now, reach)
        try:
            yield from source.read(self.connection, days, self.told.append)
        finally:
            assert {(one.method, one.path) for one in wire.requests} <= {
                ("GET", "/v1/organization/costs")
            }
            self.sent = [one.params for one in wire.requests]

    def read(self, days: DayRange, spec: str = "") -> list[DayRead]:
        return list(self.run(days, spec))

    def broken(self, days: DayRange, spec: str) -> tuple[list[DayRead], ReadFailed]:
        """What was handed on before the run failed, and how it failed."""
        reads: list[DayRead] = []
        with pytest.raises(ReadFailed) as failed:
            reads.extend(self.run(days, spec))
        return reads, failed.value


@pytest.fixture
def desk(tmp_path: Path) -> Callable[..., Desk]:
    return lambda *args, **more: Desk(tmp_path, *args, **more)


def days_of(reads: Iterable[DayRead]) -> list[date]:
    return [read.day for read in reads]


def groupings(reads: Iterable[DayRead]) -> dict[date, tuple[str, ...]]:
    return {read.day: tuple(read.requests["ledger"][2]) for read in reads}


def ledger(desk: Desk, reads: Iterable[DayRead]) -> Batch:
    (batch,) = ledger_batches(map(as_kept, reads), desk.connection)
    return batch


def truth(organisation: Organisation, days: DayRange) -> Decimal:
    return sum((line.amount for day in days for line in organisation.ledger(day, NOON)), Decimal(0))


def test_a_month_is_what_the_organization_spent_to_the_last_digit(desk: Callable[..., Desk]):
    here = desk()
    reads = here.read(back(30))
    assert days_of(reads) == list(back(30))
    frame = ledger(here, reads).frame
    assert total(frame["billed_usd"]) == truth(MONTH, back(30)) > 0
    control = next(control_batches(map(as_kept, reads), GRACE)).frame
    assert total(control["billed_usd"]) == truth(MONTH, back(30))


def test_a_year_takes_a_single_digit_of_requests(desk: Callable[..., Desk]):
    here = desk(YEAR)
    reads = here.read(back(365))
    assert sorted(days_of(reads)) == list(back(365))
    assert len(here.sent) <= 9
    assert total(ledger(here, reads).frame["billed_usd"]) == truth(YEAR, back(365))


def test_windows_come_newest_first_and_days_in_a_window_oldest_first(desk: Callable[..., Desk]):
    reads = days_of(desk(NEWCOMER).read(back(365)))
    newest, middle, oldest = back(180), DayRange(ago(360), ago(181)), DayRange(ago(365), ago(361))
    assert reads == [*newest, *middle, *oldest]


def test_progress_names_the_days_and_how_they_were_read(desk: Callable[..., Desk]):
    here = desk()
    here.read(back(30))
    assert here.told == [
        (
            f"acme: read {ago(30)} to {ago(1)} by project_id, user_id, api_key_id, line_item "
            "(30 of 30 days)"
        )
    ]


def test_a_window_is_handed_on_before_the_next_one_is_asked_for(desk: Callable[..., Desk]):
    here = desk(NEWCOMER)
    run = here.run(back(365))
    next(run)
    run.close()
    assert {asked_days(params) for params in here.sent} == {back(180)}


def test_days_before_the_start_of_a_connection_are_not_asked_for(desk: Callable[..., Desk]):
    here = desk(start=ago(3))
    assert days_of(here.read(back(30))) == list(back(3))
    assert {asked_days(params) for params in here.sent} == {back(3)}


def test_a_connection_that_starts_later_is_not_asked_at_all(desk: Callable[..., Desk]):
    here = desk(start=TODAY)
    assert here.read(back(3)) == []
    assert here.sent == []


@pytest.mark.parametrize("access", ["full", "costs_only"])
def test_every_access_mode_sends_nothing_but_get_costs(desk: Callable[..., Desk], access: str):
    floor = WireOptions(combine_user="never", lookback_floor=ago(20))
    here = desk(access=access, options=floor)
    here.read(DayRange(ago(30), TODAY), "429@2,missing-bucket@4")
    assert len(here.sent) > 5
    said = {name for params in here.sent for name, _ in params}
    assert said == {"start_time", "end_time", "bucket_width", "limit", "group_by[]"}


def test_today_is_read_as_far_as_it_has_come(desk: Callable[..., Desk]):
    here = desk()
    reads = here.read(DayRange(ago(2), TODAY))
    assert days_of(reads) == [ago(2), ago(1), TODAY]
    control = next(control_batches(map(as_kept, reads), GRACE)).frame
    assert control["is_settled"].to_list() == [True, False, False]
    here.now = NOON + timedelta(days=3)
    settled = next(control_batches(map(as_kept, here.read(DayRange(ago(2), TODAY))), GRACE)).frame
    assert settled["is_settled"].to_list() == [True, True, True]


def test_a_body_above_the_limit_makes_the_window_shrink_until_every_day_is_read_once(
    desk: Callable[..., Desk],
):
    here = desk(YEAR, max_body_mb=1)
    reads = here.read(back(180))
    assert sorted(days_of(reads)) == list(back(180))
    assert len(days_of(reads)) == 180
    assert len(here.sent) < 30
    assert total(ledger(here, reads).frame["billed_usd"]) == truth(YEAR, back(180))


def test_a_single_day_above_the_limit_is_read_all_the_same(desk: Callable[..., Desk]):
    crowded = sample_organisation(TODAY, days=7, rows_per_day=4_000)
    reads = desk(crowded, max_body_mb=1).read(back(3))
    assert sorted(days_of(reads)) == list(back(3))
    assert all(len(read.bodies["ledger"]) > 1024 * 1024 for read in reads)


@pytest.mark.parametrize("age", [1, 2, 29, 100, 179, 180, 181, 300])
def test_the_floor_is_found_exactly(desk: Callable[..., Desk], age: int):
    here = desk(NEWCOMER, options=WireOptions(lookback_floor=ago(age)))
    assert sorted(days_of(here.read(back(365)))) == list(back(age))
    assert first_day(here.archive, here.connection) == ago(age)
    assert len(here.sent) <= 20


def test_a_remembered_floor_is_never_asked_below_again(desk: Callable[..., Desk]):
    here = desk(NEWCOMER, options=WireOptions(lookback_floor=ago(50)))
    here.read(back(365))
    again = here.read(back(365))
    assert days_of(again) == list(back(50))
    assert len(here.sent) == 2
    assert {asked_days(params) for params in here.sent} == {back(50)}


def test_a_floor_that_moves_on_is_found_again(desk: Callable[..., Desk]):
    here = desk(options=WireOptions(lookback_floor=ago(20)))
    here.read(back(30))
    here.options = WireOptions(lookback_floor=ago(11))
    assert days_of(here.read(back(30))) == list(back(11))
    assert first_day(here.archive, here.connection) == ago(11)


def test_history_that_is_gone_altogether_is_no_days(desk: Callable[..., Desk]):
    here = desk(options=WireOptions(lookback_floor=TODAY + timedelta(days=5)))
    assert here.read(back(30)) == []


def test_a_floor_outside_the_window_is_reported_and_not_searched_for_without_end(tmp_path: Path):
    """The provider calls every grouped question too old, and answers all others."""

    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params.multi_items()
        if not grouping_of(params):
            return httpx.Response(200, content=empty_days(asked_days(params)))
        error = {"message": "too old", "code": "reporting_lookback_exceeded"}
        return httpx.Response(400, json={"error": error})

    here = Desk(tmp_path)
    reach = Reach(lambda _connection: httpx.MockTransport(answer))
    source = OpenAICosts(here.settings, here.archive, lambda: here.now, reach)
    with pytest.raises(LookbackExceeded, match="too old"):
        list(source.read(here.connection, back(30), here.told.append))


def test_an_organization_that_gives_no_users_is_read_without(tmp_path: Path):
    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params.multi_items()
        if "user_id" in grouping_of(params):
            return httpx.Response(400, json={"error": {"message": "no users"}})
        spent = page(*(bucket(day, result("0.5")) for day in asked_days(params)))
        return httpx.Response(200, content=spent)

    here = Desk(tmp_path)
    reach = Reach(lambda _connection: httpx.MockTransport(answer))
    source = OpenAICosts(here.settings, here.archive, lambda: here.now, reach)
    reads = list(source.read(here.connection, back(2), here.told.append))
    assert here.told[-1].endswith(
        "by project_id, api_key_id, line_item, without users (2 of 2 days)"
    )
    assert reads[0].absent == {"user_view": "no users"}
    users = next(by_user_batches(map(as_kept, reads), here.connection)).frame
    assert users.select("user_id", "billed_usd").rows() == [(None, Decimal("0.5"))] * 2


def test_an_organization_that_names_no_users_is_read_with_a_user_view(desk: Callable[..., Desk]):
    here = desk(options=WireOptions(combine_user="never"))
    reads = here.read(back(30))
    assert set(groupings(reads).values()) == {WITHOUT_USERS}
    users = next(by_user_batches(map(as_kept, reads), here.connection)).frame
    assert total(users["billed_usd"]) == truth(MONTH, back(30))
    assert users["user_id"].n_unique() > 5


def test_an_organization_without_keys_is_read_by_project(desk: Callable[..., Desk]):
    options = WireOptions(combine_user="never", accepts_api_key_grouping=False)
    here = desk(options=options)
    reads = here.read(back(30))
    assert set(groupings(reads).values()) == {COARSEST}
    assert total(ledger(here, reads).frame["billed_usd"]) == truth(MONTH, back(30))


def test_a_refusal_is_remembered_and_not_asked_for_again(desk: Callable[..., Desk]):
    here = desk(options=WireOptions(combine_user="never"))
    here.read(back(30))
    assert grouping_of(here.sent[0]) == WITH_USERS
    here.read(back(7))
    assert [grouping_of(params) for params in here.sent] == [
        WITHOUT_USERS,
        ("user_id", "line_item"),
        (),
    ]


def test_a_refusal_of_an_old_window_does_not_take_the_users_from_a_newer_one(
    desk: Callable[..., Desk],
):
    here = desk(NEWCOMER, options=WireOptions(combine_user=ago(180)))
    for _ in range(2):
        found = groupings(here.read(back(365)))
        assert {found[day] for day in back(180)} == {WITH_USERS}
        assert {found[day] for day in DayRange(ago(365), ago(181))} == {WITHOUT_USERS}


def test_after_thirty_days_a_refused_grouping_is_asked_for_again(desk: Callable[..., Desk]):
    here = desk(options=WireOptions(combine_user="never"))
    here.read(back(30))
    here.options = USUAL
    assert set(groupings(here.read(back(7))).values()) == {WITHOUT_USERS}
    here.now = NOON + timedelta(days=30)
    assert set(groupings(here.read(back(7))).values()) == {WITH_USERS}


def test_a_lost_note_costs_requests_and_nothing_else(desk: Callable[..., Desk]):
    here = desk(options=WireOptions(combine_user="never", lookback_floor=ago(20)))
    first = here.read(back(30))
    note = here.archive.note("openai", "acme")
    known = recall(note)
    note.unlink()
    assert [read.bodies for read in here.read(back(30))] == [read.bodies for read in first]
    assert recall(note) == known


def test_a_missing_key_is_an_error_before_anything_is_sent(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ACME_KEY", raising=False)
    here = desk(base_url="http://127.0.0.1/v1", admin_key_env="ACME_KEY")
    with pytest.raises(MissingKey, match="ACME_KEY"):
        here.read(back(3))
    assert here.sent == []


@pytest.mark.parametrize(
    ("key", "status"), [("sk-proj-abcdef", 401), ("sk-admin-noscope", 403), ("sk-admin-wrong", 401)]
)
def test_a_key_without_the_scope_is_refused_once_in_the_providers_words(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, key: str, status: int
):
    monkeypatch.setenv("ACME_KEY", key)
    here = desk(base_url="http://127.0.0.1/v1", admin_key_env="ACME_KEY")
    reads, refused = here.broken(back(3), "")
    assert isinstance(refused, AccessRefused)
    assert refused.status == status
    assert reads == []
    assert len(here.sent) == 1
    assert key not in str(refused)


CLEAN = back(30)
HEALS = [
    *("429@1", "429@1-7", "429-retry-after@2:30", "500@1", "502@2", "503@1", "408@1", "409@2"),
    *("timeout@1:300", "timeout@2:300", "cut@1", "cut@2", "500@30%,cut@20%"),
    *("repeated-cursor@1", "missing-cursor@1", "empty-page@1", "truncated-json@1", "nan@1"),
    *("missing-bucket@1", "duplicate-bucket@1", "repeated-cursor@1,page-token-400@2"),
    *("missing-bucket@2", "duplicate-bucket@2,truncated-json@3"),
]
BREAKS = {
    "429": ProviderUnavailable,
    "429-retry-after:5": ProviderUnavailable,
    "429-retry-after:90000": ProviderUnavailable,
    "500": ProviderUnavailable,
    "502": ProviderUnavailable,
    "503": ProviderUnavailable,
    "408": ProviderUnavailable,
    "409": ProviderUnavailable,
    "timeout:300": ProviderUnavailable,
    "cut": ProviderUnavailable,
    "repeated-cursor": IncompleteRead,
    "missing-cursor": IncompleteRead,
    "empty-page": IncompleteRead,
    "truncated-json": IncompleteRead,
    "nan": IncompleteRead,
    "missing-bucket": IncompleteRead,
    "duplicate-bucket": IncompleteRead,
}
REFUSED_BY_THE_LEDGER = ("renamed-field", "nan-string", "null-amount", "currency:eur")
REMARKED = {"unknown-field": "carbon_grams", "unknown-object": "organization.costs.adjustment"}


def fault(said: str, which: str) -> str:
    name, _, argument = said.partition(":")
    return f"{name}@{which}" + (f":{argument}" if argument else "")


def test_every_fault_of_the_sample_api_is_tried_below():
    tried = [*HEALS, *BREAKS, *REFUSED_BY_THE_LEDGER, *REMARKED]
    assert all(any(name in one for one in tried) for name in FAULT_NAMES)


@pytest.mark.parametrize("spec", HEALS)
def test_a_fault_that_passes_leaves_no_trace(desk: Callable[..., Desk], spec: str):
    here = desk()
    healed = here.read(CLEAN, spec)
    requests_with_the_fault = len(here.sent)
    clean = here.read(CLEAN)
    assert [(read.day, read.bodies) for read in healed] == [
        (read.day, read.bodies) for read in clean
    ]
    assert requests_with_the_fault > len(here.sent)


@pytest.mark.parametrize(("said", "error"), BREAKS.items())
def test_a_fault_that_stays_ends_in_a_sentence_and_nothing_is_kept(
    desk: Callable[..., Desk], said: str, error: type[ReadFailed]
):
    reads, failed = desk().broken(CLEAN, fault(said, "every"))
    assert reads == []
    assert type(failed) is error
    assert failed.is_retryable
    assert "GET /organization/costs" in str(failed)


@pytest.mark.parametrize("said", [one for one in BREAKS if one != "nan"])
@pytest.mark.parametrize("request_number", [2, 3, 4])
def test_a_fault_in_the_middle_never_leaves_half_a_window(
    desk: Callable[..., Desk], said: str, request_number: int
):
    reads, _ = desk(NEWCOMER).broken(back(365), fault(said, f"{request_number}-999"))
    whole_windows = (request_number - 1) // 2
    assert days_of(reads) == list(back(180)) * whole_windows
    assert all(set(read.bodies) == {"ledger", "control"} for read in reads)


@pytest.mark.parametrize("said", REFUSED_BY_THE_LEDGER)
def test_a_page_the_ledger_cannot_believe_is_kept_and_refused_for_its_day_only(
    desk: Callable[..., Desk], said: str
):
    here = desk()
    reads = here.read(back(3), fault(said, "1"))
    assert days_of(reads) == list(back(3))
    batch = ledger(here, reads)
    assert batch.refused
    assert all(isinstance(one, PageRefused) for one in batch.refused.values())
    assert set(batch.refused) | set(batch.read_at) == {Slice("acme", day) for day in back(3)}
    assert not set(batch.refused) & set(batch.read_at)


@pytest.mark.parametrize(("said", "named"), REMARKED.items())
def test_a_page_with_something_new_is_counted_and_remarked(
    desk: Callable[..., Desk], said: str, named: str
):
    here = desk()
    batch = ledger(here, here.read(back(3), fault(said, "every")))
    assert batch.refused == {}
    assert any(named in remark for remark in batch.remarks.values())
    assert total(batch.frame["billed_usd"]) == truth(MONTH, back(3))
