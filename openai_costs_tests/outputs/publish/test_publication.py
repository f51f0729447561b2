"""What is shown of a home is what was published last, whatever a run has written since."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from threading import Thread
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest
from pydantic import SecretStr
from upath import UPath

from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.publication import NothingToShow, Publication
from openai_costs.outputs.publish.published_tables import PublishedTables
from openai_costs.outputs.report.cost_explorer import PAGE, read_page, write_report
from openai_costs.outputs.report.render import render
from openai_costs.storage.encryption import DatabaseLocked
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import NOW as HOUSE_NOW
from openai_costs_tests.org import day
from openai_costs_tests.outputs.alerts.fixtures import finding
from openai_costs_tests.outputs.publish.test_database import (
    NOON,
    coverage,
    publish_now,
    write,
    write_day,
)

if TYPE_CHECKING:
    from openai_costs_tests.org import House

LATER: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)
KEY: Final = SecretStr("correct horse battery staple")


@pytest.fixture(scope="module")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("published")
    write_day(UPath(made), day(1), "1")
    coverage(UPath(made), day(1))
    publish_now(UPath(made))
    return made


@pytest.fixture
def home(published_once: Path, tmp_path: Path) -> UPath:
    """A home with one published day, so that a test may do to it what it likes."""
    return UPath(copytree(published_once, tmp_path, dirs_exist_ok=True))


def publication(home: UPath) -> Publication:
    return Publication(home, Lake(home))


def total(home: UPath) -> str:
    return read_page(publication(home), NOON).total


def begin(home: UPath, usd: str) -> None:
    """What a run has written of a day when it is killed between core and mart."""
    for table in (Ledger, SpendByUser, SpendControl):
        write(home, table, day(1), usd, LATER)


def write_all(home: UPath) -> None:
    write_day(home, day(1), "12", LATER)
    Lake(home).replace_whole(Findings, findings_frame([finding()]))


def test_a_day_in_flight_has_the_dollars_of_its_last_publication(home: UPath) -> None:
    before = total(home)
    assert "$1.00" in before
    begin(home, "12")
    assert total(home) == before


def test_what_a_run_has_not_published_is_not_shown(home: UPath) -> None:
    before = render(read_page(publication(home), NOON))
    write_all(home)
    assert render(read_page(publication(home), NOON)) == before
    publish_now(home)
    assert "$12.00" in total(home)
    begin(home, "13")
    assert "$12.00" in total(home)
    with publication(home).tables() as published:
        assert published.read(Findings).height == 1
        assert published.has(Findings)


def test_a_day_in_flight_keeps_its_dollars_also_after_a_publication_of_others(home: UPath) -> None:
    begin(home, "12")
    write_day(home, day(2), "2", LATER)
    coverage(home, day(1), day(2))
    assert publish_now(home).in_flight == [("acme", day(1))]
    assert "$3.00" in total(home)


def test_a_day_that_never_tied_out_is_missing(home: UPath) -> None:
    write_day(home, day(2), "12.00")
    write(home, SpendControl, day(2), "12.50", LATER)
    write(home, SpendControl, day(2), "12.50", NOON)
    coverage(home, day(1), day(2))
    publish_now(home)
    assert "$1.00" in total(home)


def test_what_was_read_is_one_state_also_where_a_run_writes_in_between(home: UPath) -> None:
    with publication(home).tables() as published:
        assert published.read(Findings).is_empty()
        other = Thread(target=write_all, args=(home,))  # another run: it opens a lake of its own
        other.start()
        other.join()
        assert Lake(home).read(Findings).height == 1
        assert published.read(Spend)["billed_usd"].to_list() == [Decimal(1)]
        assert published.read(Findings).is_empty()


def test_the_lake_and_the_database_make_the_same_page(three_days: House, tmp_path: Path) -> None:
    home = UPath(copytree(three_days.home, tmp_path / "home"))
    with publication(home).tables() as published:
        assert isinstance(published, Lake)
        slices = published.slices(Spend).select("connection", "day", "rows")
    of_lake = render(read_page(publication(home), HOUSE_NOW))
    Lake(home).replace_whole(Findings, findings_frame([finding()]))
    with publication(home).tables() as published:
        assert isinstance(published, PublishedTables)
        its = published.slices(Spend).filter(pl.col("rows") > 0)
        found = its.select("connection", "day", "rows").sort("day")
        assert found.equals(slices.filter(pl.col("rows") > 0).sort("day"))
        assert published.query(Spend, [], lambda rows: [rows])[0].is_empty()
        assert (published.has(Findings), published.has(Spend)) == (False, True)
    assert render(read_page(publication(home), HOUSE_NOW)) == of_lake


def test_without_a_publication_a_page_stays_as_it_is_and_a_sentence_says_why(home: UPath) -> None:
    write_report(publication(home), NOON)
    before = (home / PAGE).read_bytes()
    begin(home, "12")
    (home / DATABASE).write_bytes(b"no database")
    with pytest.raises(NothingToShow, match=r"cannot be read: .*`openai-costs backfill` compl"):
        write_report(publication(home), NOON)
    (home / DATABASE).unlink()
    with pytest.raises(NothingToShow, match="duckdb is not there yet"):
        write_report(publication(home), NOON)
    assert (home / PAGE).read_bytes() == before


def test_a_home_without_tables_has_an_empty_page(tmp_path: Path) -> None:
    assert read_page(publication(UPath(tmp_path)), NOON).first.month.span is None


def test_an_encrypted_publication_is_opened_only_where_the_lake_is_another(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    write_day(home, day(1), "1")
    coverage(home, day(1))
    publish(home, Lake(home), KEY)
    before = total(home)
    begin(home, "12")
    with pytest.raises(DatabaseLocked):
        total(home)
    opened = Publication(home, Lake(home), lambda: KEY)
    assert read_page(opened, NOON).total == before
