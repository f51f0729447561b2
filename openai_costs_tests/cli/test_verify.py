from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from openai_costs.cli.verify import as_json, lines
from openai_costs.kernel.days import ONE_DAY
from openai_costs.kernel.money import MONEY
from openai_costs.orchestration.jobs import PUBLISH, REBUILD
from openai_costs.outputs.publish.verification import verify
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import FACTS, LEDGER, NOW, ORGANISATION, House, day, house

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, BILLED, LAST, NEXT = day(16), day(17), day(18), day(19)
TABLES = tuple(name for name in FACTS if not name.startswith("raw/"))
UNPUBLISHED = tuple(name for name in FACTS if name != "published/duckdb")


@pytest.fixture
def made(three_days: House) -> House:
    return three_days


def said(of: House) -> str:
    return "\n".join(lines(verify(of.settings, lambda _line: None), of.home))


def test_days_that_tie_out_everywhere_are_one_sentence_with_the_total(made: House) -> None:
    verified = verify(made.settings, lambda _line: None)
    assert verified.holds
    assert said(made).startswith(f"3 settled days from {FIRST} to {LAST} tie out, $")
    assert as_json(verified)["ties_out"] is True


def test_a_home_without_data_is_not_verified(tmp_path: Path) -> None:
    empty = house(tmp_path / "nothing")
    assert not verify(empty.settings, lambda _line: None).holds
    assert said(empty).startswith(f"There is no settled day in {empty.home}: nothing to verify.")


def test_damage_that_hides_every_settled_day_is_not_called_a_home_without_data(
    tmp_path: Path,
) -> None:
    nothing = verify(house(tmp_path / "nothing").settings, lambda _line: None)
    [sentence] = lines(nothing, "data", ["core/spend_control: its log is damaged"])
    assert sentence == (
        "No day of data was verified: no control total of a settled day could be read. "
        "Rebuild the tables from the kept pages: `openai-costs backfill --offline`."
    )


def lake_row_changed(home: Path) -> None:
    lake = Lake(place(str(home)))
    (batch,) = lake.batches(Spend, [LAST])
    one_more = pl.col("billed_usd") + (pl.int_range(pl.len()) == 0).cast(pl.Int8)
    more = batch.derive(lambda rows: rows.with_columns(one_more.cast(MONEY)))
    assert not lake.replace(Spend, [more]).refused


def published_rows_lost(home: Path) -> None:
    with duckdb.connect(str(home / "published" / "openai_costs.duckdb")) as sql:
        sql.execute("DELETE FROM mart.spend_by_user WHERE day = ?", [LAST])


def sums_changed(home: Path) -> None:
    with duckdb.connect(str(home / "published" / "openai_costs.duckdb")) as sql:
        sql.execute("UPDATE mart.spend_by_key SET billed_usd = billed_usd + 1")


def copy_damaged(home: Path) -> None:
    (home / "published" / "parquet" / "core.spend" / "2026-11.parquet").write_bytes(b"no Parquet")


def copies_gone(home: Path) -> None:
    shutil.rmtree(home / "published" / "parquet" / "core.spend")


def page_damaged(home: Path) -> None:
    file = max((home / "raw" / "openai" / "tidewater" / "costs" / str(LAST)).iterdir())
    file.write_bytes(file.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lake_row_changed, f"{LAST}, connection tidewater: mart.spend in lake/ adds up to $"),
        (published_rows_lost, "mart.spend_by_user in published/openai_costs.duckdb has no rows"),
        (sums_changed, "mart.spend_by_key in published/openai_costs.duckdb adds up to $"),
        (copy_damaged, "published/parquet/ (core.spend) cannot be read: "),
        (copies_gone, "published/parquet/core.spend has no file"),
        (page_damaged, "is damaged"),
    ],
    ids=[
        "a changed row of the lake",
        "lost rows",
        "changed sums",
        "a damaged copy",
        "no copy",
        "a damaged page",
    ],
)
def test_what_does_not_tie_out_is_named_with_its_place(
    made: House, tmp_path: Path, harm: Callable[[Path], None], sentence: str
) -> None:
    harmed = made.moved_to(tmp_path / "harmed")
    harm(Path(harmed.home))
    verified = verify(harmed.settings, lambda _line: None)
    assert not verified.holds
    assert sentence in "\n".join(lines(verified, harmed.home))
    assert json.dumps(as_json(verified))


def test_a_file_beside_the_copies_of_a_table_is_named_once_and_its_rows_are_of_no_day(
    made: House, tmp_path: Path
) -> None:
    harmed = made.moved_to(tmp_path / "foreign")
    copies = Path(harmed.home) / "published/parquet/core.spend"
    shutil.copy(copies / "2026-11.parquet", copies / "2026-12.parquet")
    verified = verify(harmed.settings, lambda _line: None)
    assert (verified.differences, verified.problems) == ([], 1)
    [sentence] = verified.unreadable
    assert sentence.startswith(f"{copies}/2026-12.parquet is not part of the publication, and the")


def test_days_that_a_run_left_out_of_the_publication_are_one_sentence(
    made: House, tmp_path: Path
) -> None:
    left = made.moved_to(tmp_path / "left")
    assert left.run(NEXT, NEXT, only=UNPUBLISHED).is_green
    verified = verify(left.settings, lambda _line: None)
    assert len(verified.differences) > 5
    [text] = verified.causes
    assert text.startswith(f"No run has published 1 day of tidewater ({NEXT}) since they were ")
    assert said(left).endswith(f"`openai-costs backfill --offline --from {NEXT} --to {NEXT}`.")
    assert as_json(verified)["ties_out"] is False


def test_days_of_which_only_the_ledger_was_made_are_one_sentence(
    made: House, tmp_path: Path
) -> None:
    torn = made.moved_to(tmp_path / "torn")
    assert torn.run(NEXT, NEXT, only=LEDGER).is_green
    [text] = verify(torn.settings, lambda _line: None).causes
    assert text.startswith(
        f"The pages and tables of 1 day of tidewater ({NEXT}) are not all of one read: "
    )


def test_days_of_which_only_pages_are_kept_are_one_sentence_also_before_the_first_that_is_stored(
    made: House, tmp_path: Path
) -> None:
    """No sum differs where a day lacks in every table, and the others tie out."""
    lost = made.moved_to(tmp_path / "lost")
    lost.lake.remove_slices(f"day < '{LAST}'")
    lost.run(LAST, LAST, job=PUBLISH, only=("published/duckdb",))
    verified = verify(lost.settings, lambda _line: None)
    assert (verified.differences, verified.holds) == ([], False)
    [cause] = verified.causes
    assert cause == (
        f"The pages of 2 days of tidewater ({FIRST} to {BILLED}) are kept, and no table is made of "
        "them: the run that makes them is under way, or did not end well. No published number has "
        "these days."
    )
    assert said(lost).endswith(f"`openai-costs backfill --offline --from {FIRST} --to {BILLED}`.")
    assert as_json(verified)["days_without_tables"] == [
        {"connection": "tidewater", "day": str(day)} for day in (FIRST, BILLED)
    ]
    lost.silence()
    assert lost.run(FIRST, BILLED, job=REBUILD, only=TABLES).is_green
    assert verify(lost.settings, lambda _line: None).holds


def test_pages_that_are_newer_than_the_tables_are_a_run_in_between_and_no_question_to_the_provider(
    made: House, tmp_path: Path
) -> None:
    killed = made.moved_to(tmp_path / "killed").at(NOW + ONE_DAY)
    killed.serve("tidewater", organisation=replace(ORGANISATION, seed="restated"))
    assert killed.run(BILLED, LAST, only=("raw/openai_costs",)).is_green
    verified = verify(killed.settings, lambda _line: None)
    assert {one.place for one in verified.differences} == {"raw/"}
    [cause] = verified.causes
    assert cause == (
        f"The pages and tables of 2 days of tidewater ({BILLED} to {LAST}) are not all of one "
        "read: the run that makes them is under way, or did not end well. Readers keep what was "
        "published of them before."
    )
    [*_, last] = said(killed).splitlines()
    assert last == (
        "1 problem in 3 settled days. Rebuild the tables from the kept pages: "
        f"`openai-costs backfill --offline --from {BILLED} --to {LAST}`."
    )


def test_a_run_beside_a_verification_changes_nothing_of_what_it_compares(
    made: House, tmp_path: Path
) -> None:
    beside = made.moved_to(tmp_path / "beside").at(NOW + ONE_DAY)
    beside.serve("tidewater", organisation=replace(ORGANISATION, seed="restated"))

    def goes_on(line: str) -> None:
        if "the kept pages" in line:
            assert beside.run(BILLED, LAST, only=FACTS).is_green

    [cause] = verify(beside.settings, goes_on).causes
    assert cause.startswith(f"The pages and tables of 2 days of tidewater ({BILLED} to {LAST}) ")


def test_a_home_that_was_never_published_is_reported_as_such(tmp_path: Path) -> None:
    never = house(tmp_path / "never")
    assert never.run(FIRST, FIRST, only=LEDGER).is_green
    text = said(never)
    assert "Nothing is published yet." in text
    assert "cannot be read" not in text


def test_pages_of_a_connection_that_left_the_settings_are_not_called_verified(
    made: House, tmp_path: Path
) -> None:
    left = made.moved_to(tmp_path / "left")
    left.connections = house(tmp_path / "other", "harbour").connections
    text = said(left)
    assert "The kept pages of tidewater were not read" in text
    assert "kept pages, lake" not in text


def test_a_day_whose_newest_page_is_refused_has_pages_and_has_to_be_read_again(
    made: House, tmp_path: Path
) -> None:
    refused = made.moved_to(tmp_path / "refused").at(NOW + ONE_DAY)
    refused.serve("tidewater", "nan-string@1")
    assert not refused.run(BILLED, BILLED, only=FACTS).is_green
    text = said(refused)
    assert f"{BILLED}, connection tidewater: the newest kept page cannot be used, so the " in text
    assert "'NaN'" in text
    assert "no rows for the day" not in text
    assert f"`openai-costs backfill --from {BILLED} --to {BILLED}`" in text
    assert "--offline" not in text


def test_each_place_is_opened_once(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    connect = duckdb.connect

    def counted(database: str = ":memory:", **options: object) -> duckdb.DuckDBPyConnection:
        opened.append(database)
        return connect(database, **options)

    monkeypatch.setattr(duckdb, "connect", counted)
    assert verify(made.settings, lambda _line: None).holds
    assert opened.count(str(made.published)) == 1
    # The Parquet copies share one connection; the lake is asked in the one of this process.
    assert opened.count(":memory:") <= 2
