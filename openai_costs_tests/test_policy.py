"""One test per row of the failure policy: what came back, and what became of the tables.

Each begins with a home whose days were read well, and reads them again at a later instant.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import duckdb
import httpx
import polars as pl
import pytest
import stamina

from openai_costs.kernel.days import ONE_DAY, epoch
from openai_costs.kernel.formatting import dollars, exact_dollars
from openai_costs.orchestration.jobs import DIRECTORY
from openai_costs.outputs.publish.publication import Publication
from openai_costs.outputs.report.cost_explorer import PAGE, read_page
from openai_costs.outputs.report.render import render
from openai_costs.questions.coverage import of_costs
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.sample.api.options import NO_SCOPE_ADMIN_KEY, USAGE_ONLY_ADMIN_KEY, USUAL
from openai_costs.sample.company.events import Event, EventKind
from openai_costs.sources import raw_pages
from openai_costs.sources.ingest import Ingested, ingest
from openai_costs.storage.files import place
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend_attribution import SpendAttribution as Attribution
from openai_costs_tests.org import (
    FACTS,
    LEDGER,
    MONEY,
    NOW,
    ORGANISATION,
    RESTATED_DAY,
    SETTLED_NOT_RESTATED,
    TODAY,
    Altered,
    House,
    Ran,
    Torn,
    Verdict,
    account_of,
    connection,
    day,
    days,
    files,
    house,
    of_day,
    of_names,
    organisation_of,
    stored,
    usd,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime
    from pathlib import Path

FIRST, LAST = day(17), day(19)
THREE_DAYS: Final = (FIRST, LAST)
SHUT_OUT: Final = replace(USUAL, admin_keys=frozenset({"sk-admin-of-somebody-else"}))


@pytest.fixture(scope="module")
def well_read(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = house(tmp_path_factory.mktemp("policy") / "home", "tidewater", "harbour")
    made.connections = tuple(connection(one.name, start=FIRST) for one in made.connections)
    ran = made.at(SETTLED_NOT_RESTATED).run(*THREE_DAYS, only=FACTS)
    assert ran.is_green, ran.failures
    return made


def faulty(made: House, name: str, faults: str) -> None:
    made.serve(name, faults)


def without(made: House, name: str, day: date) -> None:
    gone = Event(EventKind.NO_ROWS, "an empty bucket", TODAY, empty_day=day)
    others = (one for one in ORGANISATION.events if one.kind is not EventKind.NO_ROWS)
    whose = replace(organisation_of(account_of(name)), events=(*others, gone))
    made.serve(name, organisation=whose)


def refused_usage(made: House, name: str, status: int) -> None:
    refuse(made, "/usage/", status, name)


def without_images(made: House, name: str, endpoint: str) -> None:
    made.serve(name, options=replace(USUAL, without_usage=frozenset({endpoint})))


def restating(made: House, name: str, _how: str) -> None:
    made.transports[name] = Altered(made.transports[name], larger)


ODD: Final[dict[str, tuple[Callable[[House, str, Any], None], Any]]] = {
    "reef": (faulty, "unknown-field@every"),
    "shoal": (faulty, "unknown-object@every"),
    "strand": (faulty, "usage:502@every"),
    "delta": (faulty, "usage:truncated-json@every"),
    "marsh": (without, day(18)),
    "inlet": (refused_usage, 401),
    "lagoon": (refused_usage, 403),
    "fjord": (without_images, "images"),
    "quay": (restating, ""),
}
"""Connections of one run that stops for none of them, and what is odd about the API of each."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home of many connections whose days were read well."""
    made = house(tmp_path_factory.mktemp("wide") / "home", *ODD)
    made.connections = tuple(connection(one.name, start=FIRST) for one in made.connections)
    assert made.at(SETTLED_NOT_RESTATED).run(*THREE_DAYS, only=FACTS).is_green
    return made


@pytest.fixture(scope="module")
def odd(wide: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Ran]:
    """The same home after a run in which each connection was answered oddly in its own way."""
    made = wide.moved_to(tmp_path_factory.mktemp("odd") / "home").at(NOW)
    for name, (make_odd, how) in ODD.items():
        made.serve(name)
        make_odd(made, name, how)
    return made, made.run(*THREE_DAYS, only=FACTS)


def test_what_is_odd_about_some_connections_ends_no_run(odd: tuple[House, Ran]) -> None:
    _, ran = odd
    assert ran.is_green, ran.failures
    assert ran.retried == 0


@pytest.fixture
def lone(well_read: House, tmp_path: Path) -> House:
    """The same home with one connection."""
    return with_one_connection(well_read, tmp_path / "home")


def with_one_connection(made: House, home: Path) -> House:
    copy = made.moved_to(home).at(NOW)
    copy.connections = copy.connections[:1]
    copy.serve("tidewater")
    return copy


@pytest.fixture(scope="module")
def read_again(well_read: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Ran]:
    """The same home with one connection, after a second run in which nothing was wrong."""
    made = with_one_connection(well_read, tmp_path_factory.mktemp("again") / "home")
    return made, made.run(*THREE_DAYS, only=FACTS)


def miscounting(made: House, name: str, _how: str) -> None:
    made.transports[name] = Altered(made.transports[name], one_cached_too_many)


UNUSABLE: Final[dict[str, tuple[Callable[[House, str, Any], None], Any]]] = {
    "reef": (faulty, "nan-string@1"),
    "shoal": (faulty, "completions:renamed-field@every"),
    "strand": (miscounting, ""),
}
"""Connections of one run that is red at its end, and what cannot be used of the API of each."""


@pytest.fixture(scope="module")
def refused(wide: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Ran]:
    """The same home with these connections, after a run that leaves what cannot be used."""
    made = wide.moved_to(tmp_path_factory.mktemp("refused") / "home").at(NOW)
    made.connections = tuple(one for one in made.connections if one.name in UNUSABLE)
    for name, (make_odd, how) in UNUSABLE.items():
        made.serve(name)
        make_odd(made, name, how)
    return made, made.run(*THREE_DAYS, only=FACTS)


@pytest.fixture(scope="module")
def with_names(well_read: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    made = with_one_connection(well_read, tmp_path_factory.mktemp("names") / "home")
    assert directory_of(made).is_green
    return made


@pytest.fixture
def named(with_names: House, tmp_path: Path) -> House:
    """The same home with one connection and its directory."""
    return with_one_connection(with_names, tmp_path / "home")


@pytest.fixture
def both(well_read: House, tmp_path: Path) -> House:
    copy = well_read.moved_to(tmp_path / "home").at(NOW)
    copy.serve("tidewater")
    copy.serve("harbour")
    return copy


@pytest.fixture(scope="module", autouse=True)
def without_waits() -> Iterator[None]:
    """Give up at once."""
    with stamina.set_testing(True, attempts=2):
        yield


def reads_kept(house: House, when: date = RESTATED_DAY, name: str = "tidewater") -> int:
    return len(house.archive.reads("openai", name, "costs", when))


def of_days(ran: Ran) -> list[Verdict]:
    """What checks object to on the days of the run; that newer days are missing is meant so."""
    return [one for one in ran.objections if one.day is not None]


def stored_ledger(home: str) -> dict[str, object]:
    """What the lake holds, but for what explains the ledger and is read apart from it."""
    return {path: rows for path, rows in stored(home).items() if not path.startswith("core/usage/")}


def core_and_spend(home: str) -> dict[str, object]:
    shown = ("core/", "mart/spend")
    return {path: rows for path, rows in stored_ledger(home).items() if path.startswith(shown)}


def usage_read_at(house: House, when: date, name: str = "tidewater") -> datetime | None:
    return house.lake.reads(Usage).get(Slice(name, when))


def sentence_about(name: str, said: Verdict) -> str:
    """What a verdict says of one connection, which begins with its name and ends at the next."""
    (found,) = re.findall(rf"\b{name}'?: (.*?)(?=Connection '|\w+: GET|$)", said.because)
    return str(found)


def test_complete_with_known_fields(read_again: tuple[House, Ran]) -> None:
    lone, ran = read_again
    assert ran.is_green
    assert of_days(ran) == []
    assert reads_kept(lone) == 2
    seen = lone.lake.read(SpendControl).filter(connection="tidewater")["read_at"].to_list()
    assert seen == [NOW.replace(tzinfo=None)] * 3


def test_no_rows(odd: tuple[House, Ran]) -> None:
    house, _ = odd
    assert reads_kept(house, day(18), "marsh") == 2
    assert house.lake.read(Ledger, [day(18)]).filter(connection="marsh").is_empty()
    control = house.lake.read(SpendControl, [day(18)]).filter(connection="marsh")
    assert control["billed_usd"].to_list() == [Decimal(0)]


def test_no_rows_after_a_day_with_rows_is_a_warning(odd: tuple[House, Ran]) -> None:
    _, ran = odd
    silent = ran.of("core/spend", "rows_arrived")
    assert {one.day: one.severity for one in silent.values() if not one.passed} == {
        "2026-11-18": "WARN"
    }
    assert "marsh" in silent["2026-11-18"].because
    gone_usd = ran.of("mart/restatements", "settled_total_kept")["2026-11-18"]
    assert (gone_usd.passed, gone_usd.severity) == (False, "ERROR")
    assert "marsh" in gone_usd.because


def test_an_unknown_field_is_green_with_a_warning_that_names_it(odd: tuple[House, Ran]) -> None:
    house, ran = odd
    said = ran.of("core/spend", "known_fields")
    assert {(one.passed, one.severity) for one in said.values()} == {(False, "WARN")}
    assert all("carbon_grams" in one.because for one in said.values())
    assert b"carbon_grams" in house.newest("reef", LAST).bodies["ledger"]
    control = house.lake.read(SpendControl, [LAST]).filter(connection="reef")
    assert control["read_at"].to_list() == [NOW.replace(tzinfo=None)]


def test_an_unknown_object_is_green_with_a_warning_that_names_it(odd: tuple[House, Ran]) -> None:
    _, ran = odd
    said = ran.of("core/spend", "known_fields").values()
    assert {one.severity for one in said} == {"WARN"}
    assert any("organization.costs.adjustment" in one.because for one in said)


def test_only_the_checks_of_what_is_odd_object(odd: tuple[House, Ran]) -> None:
    _, ran = odd
    assert {(one.asset, one.check) for one in of_days(ran)} == {
        ("core/spend", "known_fields"),
        ("core/spend", "rows_arrived"),
        ("core/usage", "known_fields"),
        ("mart/restatements", "settled_total_kept"),
        ("raw/openai_usage", "read_complete"),
    }


def test_a_renamed_field_is_red_and_every_table_is_untouched(lone: House) -> None:
    before = core_and_spend(lone.home)
    lone.serve("tidewater", "renamed-field@every")
    ran = lone.run(*THREE_DAYS, only=FACTS)
    assert not ran.is_green
    assert core_and_spend(lone.home) == before
    said = ran.of("core/spend", "contract")["2026-11-17"]
    assert (said.passed, said.severity) == (False, "ERROR")
    assert "amount" in said.because
    assert "ledger.json" in said.because
    assert reads_kept(lone) == 2


def test_one_poisoned_day_leaves_that_day_alone_and_replaces_the_others(
    wide: House, refused: tuple[House, Ran]
) -> None:
    house, ran = refused
    before = of_day(wide.home, "reef", FIRST)
    assert not ran.is_green
    after = of_day(house.home, "reef", FIRST)
    changed = {path for path, content in after.items() if before[path] != content}
    may_change = ("mart/restatements", "core/usage")
    assert changed <= {f"{table}/reef/2026-11-17" for table in may_change}
    for other in (day(18), day(19)):
        control = house.lake.read(SpendControl, [other]).filter(connection="reef")
        assert control["read_at"].to_list() == [NOW.replace(tzinfo=None)]
        assert usd(house.lake.read(Ledger), "reef", other) == control["billed_usd"][0]
    verdicts = ran.of("core/spend", "contract")
    assert {when: one.passed for when, one in verdicts.items()} == {
        "2026-11-17": False,
        "2026-11-18": True,
        "2026-11-19": True,
    }
    assert "'NaN'" in verdicts["2026-11-17"].because


def test_a_poisoned_day_that_was_never_read_well_is_not_called_settled(tmp_path: Path) -> None:
    fresh = house(tmp_path / "home")
    fresh.serve("tidewater", "nan-string@1")
    fresh.run(*THREE_DAYS, only=(*LEDGER, "mart/coverage"))
    states = dict(of_costs(fresh.lake.read(Coverage)).select("day", "state").rows())
    assert states[FIRST] == "missing"
    assert states[LAST] == "settled"


def test_what_cannot_be_used_is_left_and_the_rest_published_before_the_run_turns_red(
    refused: tuple[House, Ran],
) -> None:
    house, ran = refused
    (failure,) = ran.failures
    assert failure.startswith("published__duckdb: ")
    assert [name for name in UNUSABLE if name not in failure] == []
    assert "'NaN'" in failure
    shown = published_read_at(house, LAST)
    assert {shown[name] for name in UNUSABLE} == {NOW.replace(tzinfo=None)}


OUTAGES: Final = {
    "reef": ("empty-page@every", "an empty page says has_more"),
    "shoal": ("missing-cursor@every", "next_page"),
    "strand": ("truncated-json@every", "not the JSON of a page"),
    "delta": ("429@every", "HTTP 429"),
    "marsh": ("502@every", "HTTP 502"),
    "inlet": ("cut@every", "peer closed connection"),
}


def test_paging_that_stopped_early_or_an_outage_is_red_and_retryable(
    wide: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = wide.moved_to(tmp_path / "home").at(NOW)
    made.connections = tuple(one for one in made.connections if one.name in OUTAGES)
    before, published = stored_ledger(made.home), made.published.read_bytes()
    for name, (faults, _) in OUTAGES.items():
        made.serve(name, faults)
    readings: list[Ingested] = []

    def noted(*about: Any, **named: Any) -> Ingested:  # noqa: ANN401 - whatever `ingest` takes
        readings.append(ingest(*about, **named))
        return readings[-1]

    monkeypatch.setattr(raw_pages, "ingest", noted)
    ran = made.run(*THREE_DAYS, only=FACTS)
    assert not ran.is_green
    assert ran.retried > 0
    assert stored_ledger(made.home) == before
    assert made.published.read_bytes() == published
    said = ran.of("raw/openai_costs", "read_complete")["2026-11-18"]
    read_costs = next(one for one in readings if one.failed.keys() == OUTAGES.keys())
    for name, (faults, words) in OUTAGES.items():
        assert reads_kept(made, name=name) == 1, faults
        assert words in sentence_about(name, said), faults
        assert Ingested(failed={name: read_costs.failed[name]}).may_succeed_later, faults


def test_401_or_403_is_red_terminal_and_says_where_to_set_the_scope(
    lone: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, published = stored_ledger(lone.home), lone.published.read_bytes()
    keyed = {"base_url": "http://127.0.0.1/v1", "admin_key_env": "TIDEWATER_KEY"}
    lone.connections = (lone.connections[0].model_copy(update=keyed),)
    monkeypatch.setenv("TIDEWATER_KEY", NO_SCOPE_ADMIN_KEY)
    ran = lone.run(*THREE_DAYS, only=FACTS)
    assert not ran.is_green
    assert ran.retried == 0
    assert [path.rpartition("/")[2] for _, path in lone.asked("tidewater")] == [
        "costs",
        "completions",
    ]
    assert stored_ledger(lone.home) == before
    assert lone.published.read_bytes() == published
    said = ran.of("raw/openai_costs", "read_complete")["2026-11-18"].because
    assert "HTTP 403" in said
    assert "api.usage.read" in said
    assert "TIDEWATER_KEY" in said
    assert NO_SCOPE_ADMIN_KEY not in said + "".join(ran.failures)


def test_a_rotated_key_is_picked_up_by_the_next_run(
    lone: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = {"base_url": "http://127.0.0.1/v1", "admin_key_env": "TIDEWATER_KEY"}
    lone.connections = (lone.connections[0].model_copy(update=keyed),)
    defs = lone.defs()
    monkeypatch.setenv("TIDEWATER_KEY", "sk-admin-old")
    assert not lone.run(*THREE_DAYS, defs=defs, only=MONEY[:1]).is_green
    monkeypatch.setenv("TIDEWATER_KEY", "sk-admin-sample")
    assert lone.run(*THREE_DAYS, defs=defs, only=MONEY[:1]).is_green
    assert reads_kept(lone) == 2


def test_rows_that_break_the_contract_leave_the_day_untouched(
    lone: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = of_day(lone.home, "tidewater", FIRST)
    broken_rules = Ledger.broken_rules

    def strict(frame: pl.DataFrame) -> list[str]:
        said = ["rule at_most_1_usd on billed_usd: 1 rows, the first '2.50'"]
        return said if FIRST in frame["day"].to_list() else broken_rules(frame)

    monkeypatch.setattr(Ledger, "broken_rules", strict)
    ran = lone.run(*THREE_DAYS, only=MONEY)
    assert not ran.is_green
    path = "core/spend/tidewater/2026-11-17"
    assert of_day(lone.home, "tidewater", FIRST)[path] == before[path]
    said = ran.of("core/spend", "contract")["2026-11-17"]
    assert not said.passed
    assert "at_most_1_usd" in said.because
    assert ran.of("core/spend", "contract")["2026-11-18"].passed


def test_another_currency_is_red_and_the_day_is_untouched(lone: House) -> None:
    before = of_day(lone.home, "tidewater", FIRST)
    lone.serve("tidewater", "currency@every:eur")
    ran = lone.run(*THREE_DAYS, only=MONEY)
    assert not ran.is_green
    said = ran.of("core/spend", "currency")["2026-11-17"]
    assert not said.passed
    assert "eur" in said.because
    assert ran.of("core/spend", "contract")["2026-11-17"].passed
    path = "core/spend/tidewater/2026-11-17"
    assert of_day(lone.home, "tidewater", FIRST)[path] == before[path]


def test_a_control_total_that_differs_is_written_named_with_both_numbers_and_not_published(
    lone: House,
) -> None:
    published = published_read_at(lone, LAST)
    # The ledger's requests see a bill with one incident more than the control's.
    richer = lone.transports["tidewater"]
    lone.serve("tidewater", organisation=replace(ORGANISATION, events=()))
    poorer = lone.transports["tidewater"]
    lone.transports["tidewater"] = Torn(richer, poorer)
    ran = lone.run(*THREE_DAYS, only=(*MONEY, "report/cost_explorer"))
    ledger = usd(lone.lake.read(Ledger), "tidewater", LAST)
    control = usd(lone.lake.read(SpendControl), "tidewater", LAST)
    assert ledger > control
    said = ran.of("core/spend", "ties_out")["2026-11-19"]
    assert (said.passed, said.severity) == (False, "ERROR")
    assert exact_dollars(ledger) in said.because
    assert exact_dollars(control) in said.because
    (failure,) = ran.failures
    assert failure.startswith("published__duckdb: Not published, because it does not tie out: 202")
    assert f"add up to {exact_dollars(ledger)}, but the control total is" in failure
    assert f"but the control total is {exact_dollars(control)}" in failure
    assert published_read_at(lone, LAST) == published
    # What readers are not given is judged by no budget, anomaly or finding either.
    costs = lone.lake.read(Coverage).filter(source="costs", connection="tidewater", day=LAST)
    assert costs.select("state", "billed_usd").row(0) == ("missing", None)
    # The page has the other days as this run published them, and that day as readers have it.
    shown = read_page(Publication(place(lone.home), lone.lake), NOW)
    assert (place(lone.home) / PAGE).read_text("utf-8") == render(shown)
    with duckdb.connect(str(lone.published), read_only=True) as sql:
        of_one = "SELECT sum(billed_usd) FROM mart.spend WHERE connection = 'tidewater'"
        given = sql.sql(of_one).fetchall()[0][0]
    assert shown.total == dollars(given)


def test_one_connection_of_several_fails(both: House) -> None:
    before = of_day(both.home, "harbour", LAST)
    both.serve("harbour", options=SHUT_OUT)
    ran = both.run(*THREE_DAYS, only=MONEY)
    assert ran.is_green
    assert of_day(both.home, "harbour", LAST) == before
    assert published_read_at(both, LAST) == {
        "harbour": SETTLED_NOT_RESTATED.replace(tzinfo=None),
        "tidewater": NOW.replace(tzinfo=None),
    }
    verdicts = ran.of("raw/openai_costs", "read_complete")
    assert set(verdicts) == {"2026-11-17", "2026-11-18", "2026-11-19"}
    for said in verdicts.values():
        assert (said.passed, said.severity) == (False, "ERROR")
        assert "'harbour'" in said.because
        assert "HTTP 401" in said.because
        assert "'tidewater'" not in said.because


def test_every_connection_fails(both: House) -> None:
    before = {below: files(both.home, below) for below in ("raw", "published")}
    held = stored(both.home)
    for name in ("tidewater", "harbour"):
        both.serve(name, options=SHUT_OUT)
    ran = both.run(*THREE_DAYS, only=FACTS)
    assert not ran.is_green
    after = {below: files(both.home, below) for below in before}
    assert stored(both.home) == held
    assert {below: after[below] == before[below] for below in before} == dict.fromkeys(before, True)


def test_a_day_restated_by_the_provider(well_read: House, read_again: tuple[House, Ran]) -> None:
    lone, ran = read_again
    was = usd(well_read.lake.read(Ledger), "tidewater", RESTATED_DAY)
    assert ran.is_green
    assert reads_kept(lone) == 2
    assert usd(lone.lake.read(Ledger), "tidewater", RESTATED_DAY) == was + Decimal("22.80")
    recorded = lone.lake.read(Restatements).filter(connection="tidewater")
    assert recorded.select("day", "change_usd").rows() == [(RESTATED_DAY, Decimal("22.80"))]


def test_a_restatement_of_some_percent_passes_with_both_totals(
    well_read: House, read_again: tuple[House, Ran]
) -> None:
    _, ran = read_again
    was = usd(well_read.lake.read(Ledger), "tidewater", RESTATED_DAY)
    verdicts = ran.of("mart/restatements", "settled_total_kept")
    restated = verdicts[str(RESTATED_DAY)]
    assert all(one.passed for one in verdicts.values())
    assert f"from {dollars(was)} to {dollars(was + Decimal('22.80'))}" in restated.because


LARGE: Final = {FIRST: (Decimal("1.2"), "WARN"), LAST: (Decimal("1.5"), "ERROR")}
"""Days that the provider restates by a factor, and how bad that is."""


@pytest.mark.parametrize("when", LARGE, ids=lambda when: "-".join(map(str, LARGE[when])))
def test_a_large_restatement_is_written_and_named_with_both_totals(
    wide: House, odd: tuple[House, Ran], when: date
) -> None:
    restated, ran = odd
    factor, severity = LARGE[when]
    was, now = (usd(one.lake.read(Ledger), "quay", when) for one in (wide, restated))
    verdict = ran.of("mart/restatements", "settled_total_kept")[str(when)]
    assert (verdict.passed, verdict.severity) == (False, severity)
    assert f"from {dollars(was)} to {dollars(now)}" in verdict.because
    assert now == was * factor


def larger(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """The same days, some with every amount multiplied."""
    body = json.loads(response.content, parse_float=Decimal)
    for bucket in body.get("data", ()):
        for when, (factor, _) in LARGE.items():
            if bucket.get("start_time") != epoch(when):
                continue
            for result in bucket.get("results", ()):
                if amount := result.get("amount"):
                    amount["value"] = str(Decimal(amount["value"]) * factor)
    return httpx.Response(response.status_code, content=json.dumps(body, default=str).encode())


def test_settled_dollars_that_are_all_gone_are_written_and_an_error_with_both_totals(
    lone: House,
) -> None:
    was = usd(lone.lake.read(Ledger), "tidewater", FIRST)
    lone.transports["tidewater"] = Altered(lone.transports["tidewater"], without_rows)
    ran = lone.run(*THREE_DAYS, only=(*LEDGER, "mart/restatements"))
    assert ran.is_green
    assert lone.lake.read(Ledger).filter(connection="tidewater").is_empty()
    for verdict in ran.of("mart/restatements", "settled_total_kept").values():
        assert (verdict.passed, verdict.severity) == (False, "ERROR")
    because = ran.of("mart/restatements", "settled_total_kept")[str(FIRST)].because
    assert f"on {FIRST} changed from {dollars(was)} to $0.00" in because


def without_rows(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """The same days without a row, as a key of an organization without costs is given them."""
    body = response.json()
    for bucket in body.get("data", ()):
        if "results" in bucket:
            bucket["results"] = []
    return httpx.Response(response.status_code, json=body)


@pytest.mark.parametrize("name", ["strand", "delta"], ids=lambda name: str(ODD[name][1]))
def test_usage_that_cannot_be_read_is_red_and_stops_no_money(
    odd: tuple[House, Ran], name: str
) -> None:
    house, ran = odd
    said = ran.of("raw/openai_usage", "read_complete")["2026-11-18"]
    assert (said.passed, said.severity) == (False, "ERROR")
    assert sentence_about(name, said)
    assert ran.of("raw/openai_costs", "read_complete")["2026-11-18"].passed
    assert usage_read_at(house, LAST, name) == SETTLED_NOT_RESTATED
    for table in (Ledger, Attribution):
        assert house.lake.reads(table).get(Slice(name, LAST)) == NOW
    assert published_read_at(house, LAST)[name] == NOW.replace(tzinfo=None)


def test_one_usage_endpoint_that_is_refused_is_named_and_the_others_are_replaced(
    odd: tuple[House, Ran],
) -> None:
    house, ran = odd
    said = ran.of("core/usage", "known_fields")["2026-11-19"]
    assert (said.passed, said.severity) == (False, "WARN")
    assert "images" in said.because
    assert usage_read_at(house, LAST, "fjord") == NOW
    endpoints = set(house.lake.read(Usage, [LAST]).filter(connection="fjord")["endpoint"])
    assert "completions" in endpoints
    assert "images" not in endpoints


def test_usage_that_lost_a_field_leaves_its_days(refused: tuple[House, Ran]) -> None:
    house, ran = refused
    assert "shoal" in ran.of("core/usage", "contract")["2026-11-19"].because
    assert usage_read_at(house, LAST, "shoal") == SETTLED_NOT_RESTATED


def refuse(house: House, below: str, status: int, name: str = "tidewater") -> None:
    """Let a connection's API refuse whatever is below a path, as a live one would."""

    def alter(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        error = {"error": {"message": f"No to {below}.", "code": None}}
        return httpx.Response(status, json=error) if below in request.url.path else answer

    house.transports[name] = Altered(house.transports[name], alter)


@pytest.mark.parametrize("name", ["inlet", "lagoon"], ids=lambda name: str(ODD[name][1]))
def test_a_key_that_may_not_read_usage_is_an_error_with_the_scope_and_stops_no_money(
    wide: House, odd: tuple[House, Ran], name: str
) -> None:
    house, ran = odd
    said = ran.of("raw/openai_usage", "read_complete")
    assert {(one.passed, one.severity) for one in said.values()} == {(False, "ERROR")}
    assert len(said) == len(days(*THREE_DAYS))
    sentence = sentence_about(name, said[str(LAST)])
    assert f"HTTP {ODD[name][1]}" in sentence
    assert "api.usage.read" in sentence
    before = stored_usage(wide.home, name)
    assert before
    assert stored_usage(house.home, name) == before
    assert ledger_is_new_and_complete(house, name)


def test_a_home_that_was_never_given_usage_has_the_whole_ledger(tmp_path: Path) -> None:
    fresh = house(tmp_path / "home")
    refuse(fresh, "/usage/", 403)
    assert fresh.run(*THREE_DAYS, only=FACTS).is_green
    assert fresh.lake.read(Usage).is_empty()
    assert ledger_is_new_and_complete(fresh)
    assert set(fresh.lake.read(Attribution)["attribution"]) == {"direct", "unattributed"}


def ledger_is_new_and_complete(house: House, name: str = "tidewater") -> bool:
    """Whether each of the days that add up is of the newest read, and adds up."""
    for when in days(*THREE_DAYS):
        assert {house.lake.reads(one).get(Slice(name, when)) for one in TOGETHER} == {NOW}
        sums = [usd(house.lake.read(one, [when]), name, when) for one in TOGETHER]
        assert len(set(sums)) == 1
        assert published_read_at(house, when)[name] == NOW.replace(tzinfo=None)
    return True


def stored_usage(home: str, name: str = "") -> dict[str, object]:
    below = f"core/usage/{name}"
    return {path: rows for path, rows in stored(home, Usage).items() if path.startswith(below)}


def test_a_contradicted_token_identity_leaves_that_day_alone(
    wide: House, refused: tuple[House, Ran]
) -> None:
    house, ran = refused
    said = {when: one.because for when, one in ran.of("core/usage", "contract").items()}
    assert [when for when, because in said.items() if "strand" in because] == ["2026-11-18"]
    numbers = re.search(r"input_tokens is (\d+), .* add up to (\d+)", said["2026-11-18"])
    assert numbers is not None
    assert int(numbers[2]) == int(numbers[1]) + 1
    before, after = (stored_usage(one.home, "strand") for one in (wide, house))
    same = {path for path, content in before.items() if after[path] == content}
    assert same == {"core/usage/strand/2026-11-18"}
    assert len(house.archive.reads("openai", "strand", "usage", day(18))) == 2
    assert ledger_is_new_and_complete(house, "strand")


def one_cached_too_many(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """Let the first result of the second day count one cached token more than there can be."""
    if not request.url.path.endswith("/usage/completions"):
        return answer
    page = answer.json()
    first = page["data"][1]["results"][0]
    first["input_cached_tokens"] += 1
    return httpx.Response(answer.status_code, json=page)


def directory_of(house: House) -> Ran:
    return house.run(*THREE_DAYS, job=DIRECTORY, only=of_names())


def test_a_key_that_may_not_read_names_is_an_error_with_the_scope_and_the_tables_stay(
    named: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_ledger(named.home)
    keyed = {"base_url": "http://127.0.0.1/v1", "admin_key_env": "TIDEWATER_KEY"}
    named.connections = (named.connections[0].model_copy(update=keyed),)
    monkeypatch.setenv("TIDEWATER_KEY", USAGE_ONLY_ADMIN_KEY)
    ran = directory_of(named)
    assert ran.is_green
    said = ran.of("raw/openai_directory", "read_complete")[None]
    assert (said.passed, said.severity) == (False, "ERROR")
    assert "api.management.read" in said.because
    assert stored_ledger(named.home) == before
    assert named.run(*THREE_DAYS, only=MONEY[:2]).is_green


@pytest.mark.parametrize("status", [401, 502])
def test_a_directory_that_cannot_be_read_is_red_and_the_tables_stay(
    named: House, status: int
) -> None:
    before, held = files(named.home, "raw"), stored(named.home)
    refuse(named, "/organization/", status)
    ran = directory_of(named.at(NOW + ONE_DAY))
    assert ran.is_green
    said = ran.of("raw/openai_directory", "read_complete")[None]
    assert (said.passed, said.severity) == (False, "ERROR")
    assert f"HTTP {status}" in said.because
    assert (files(named.home, "raw"), stored(named.home)) == (before, held)


def test_one_list_that_is_refused_keeps_its_rows_and_the_others_are_replaced(
    named: House,
) -> None:
    before = named.lake.read(AdminKeys)
    assert not before.is_empty()
    refuse(named, "/admin_api_keys", 404)
    ran = directory_of(named.at(NOW + ONE_DAY))
    assert ran.is_green
    said = ran.of("raw/openai_directory", "read_complete")[None]
    assert (said.passed, said.severity) == (False, "WARN")
    assert "admin_api_keys (" in said.because
    assert named.lake.read(AdminKeys).equals(before)
    seen = named.lake.read(Projects).filter(status="active")["last_seen_day"]
    assert set(seen) == {day(24)}


def test_a_directory_that_breaks_off_goes_on_with_the_lists_that_are_left(lone: House) -> None:
    lone.serve("tidewater", "api_keys:502@4-100")
    assert directory_of(lone).of("raw/openai_directory", "read_complete")[None].passed is False
    assert lone.lake.read(Projects).filter(pl.col("status") != "not_listed").is_empty()
    lone.serve("tidewater")
    ran = directory_of(lone)
    assert ran.of("raw/openai_directory", "read_complete")[None].passed
    asked = [path for _, path in lone.asked("tidewater")]
    every = ORGANISATION.fixtures.projects
    assert 0 < sum(path.endswith("/api_keys") for path in asked) <= len(every) - 3
    active = [one.id for one in every if one.status == "active"]
    assert set(lone.lake.read(Projects).filter(status="active")["id"]) == set(active)


def published_read_at(house: House, when: date) -> dict[str, datetime]:
    with duckdb.connect(str(house.published), read_only=True) as sql:
        question = "SELECT connection, read_at FROM core.spend_control WHERE day = ?"
        return dict(sql.execute(question, [when]).fetchall())
