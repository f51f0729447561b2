"""Damaged files in raw/, published/ and report/: the doctor names them, and money does not stop.

What the doctor names is judged file by file; a run makes many of them good at once.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import duckdb
import polars as pl
import pytest

from openai_costs.cli.backfill_plan import Step, plan
from openai_costs.cli.doctor import facts
from openai_costs.cli.doctor_files import (
    kept_page_facts,
    mute_facts,
    page_facts,
    refused_page_facts,
    space_facts,
    tie_out_facts,
    unmade_facts,
)
from openai_costs.orchestration.jobs import REFRESH
from openai_costs.outputs.alerts.data_rules import LATE, READ_AGAIN
from openai_costs.outputs.alerts.rules import DATA_QUESTIONS
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.questions.rules import Facts
from openai_costs.sources.provider import Reach
from openai_costs.storage.files import place
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import LEDGER, MONEY, House, day, days, house

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

FIRST, BILLED, LAST = day(16), day(17), day(18)
OUTPUTS: Final = ("published/duckdb", "report/cost_explorer")
FOCUS_FILE: Final = "published/focus/billing_period=2026-11/openai_costs.parquet"
COPIES: Final = tuple(
    f"published/parquet/{table}/2026-11.parquet"
    for table in ("core.spend", "core.spend_control", "mart.spend")
)


@pytest.fixture
def made(three_days: House) -> House:
    return three_days


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def foreign(path: Path) -> None:
    path.write_bytes(b"\0\0\0\1Bud1" * 40)


def cut_off(path: Path) -> None:
    """Keep of a database no more than its header."""
    path.write_bytes(path.read_bytes()[:5000])


def a_flipped_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def newest_page(home: str, when: date) -> Path:
    return max((Path(home) / "raw/openai/tidewater/costs" / str(when)).iterdir())


def found(of: House) -> dict[str, tuple[str, str]]:
    facts = [
        *refused_page_facts(of.settings, of.connections[0]),
        *kept_page_facts(of.settings, of.connections[0]),
        *page_facts(place(of.home)),
        *tie_out_facts(of.settings),
        *mute_facts(of.settings),
    ]
    return {about: (state, text) for state, about, text in facts if state != "OK"}


def found_after(harm: Callable[[Path], None], path: Path, of: House) -> dict[str, tuple[str, str]]:
    """What the doctor finds when that file alone is harmed; it is as it was afterwards."""
    content = path.read_bytes()
    harm(path)
    facts = found(of)
    path.write_bytes(content)
    return facts


def published_total(of: House) -> Decimal:
    with duckdb.connect(str(of.published), read_only=True) as sql:
        return sql.sql("SELECT sum(billed_usd) FROM mart.spend").fetchall()[0][0]


@pytest.fixture(scope="module")
def copy(three_days: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A copy in which each test puts back what it harms."""
    return three_days.moved_to(tmp_path_factory.mktemp("doctor") / "home")


def test_sound_files_are_no_fact(made: House) -> None:
    assert found(made) == {}


@pytest.mark.parametrize("harm", [empty, truncated, foreign, a_flipped_bit])
def test_a_damaged_page_is_named_with_the_command_that_reads_its_day_again(
    copy: House, harm: Callable[[Path], None]
) -> None:
    page = newest_page(copy.home, LAST)
    facts = found_after(harm, page, copy)
    assert list(facts) == ["tidewater: kept pages"]
    state, text = facts["tidewater: kept pages"]
    assert state == "FAIL"
    assert str(page) in text
    assert f"`openai-costs backfill --from {LAST} --to {LAST}`" in text


def test_a_damaged_page_is_named_and_asked_for_again_where_no_table_has_its_day(
    made: House, tmp_path: Path
) -> None:
    lost, later = made.moved_to(tmp_path / "home"), made.clock.now + timedelta(days=30)
    shutil.rmtree(Path(lost.home) / "lake")
    whole = plan(lost.settings, None, later)
    empty(newest_page(lost.home, FIRST))
    assert str(FIRST) in found(lost)["tidewater: kept pages"][1]
    steps = plan(lost.settings, None, later)
    assert asked_for(steps) - asked_for(whole) == {FIRST}


def test_a_settled_day_without_a_kept_page_is_named_with_the_command_that_reads_it_again(
    made: House, tmp_path: Path
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    newest_page(harmed.home, BILLED).unlink()
    [(about, (state, text))] = found(harmed).items()
    assert (about, state) == ("tidewater: kept pages", "FAIL")
    assert text.startswith("none is kept of 1 settled day, ")
    assert text.endswith(f"`openai-costs backfill --from {BILLED} --to {BILLED}`.")


def test_settled_days_that_are_kept_and_in_no_table_are_named_with_the_command_that_makes_them(
    made: House, tmp_path: Path
) -> None:
    lost = made.moved_to(tmp_path / "home")
    assert list(unmade_facts(lost.settings)) == []
    lost.lake.remove_slices(f"day = '{FIRST}'")
    [fact] = unmade_facts(lost.settings)
    assert fact.state == "FAIL"
    assert fact.text.startswith(f"The pages of 1 day of tidewater ({FIRST}) are kept, and no table")
    assert fact.text.endswith(f"`openai-costs backfill --offline --from {FIRST} --to {FIRST}`.")
    empty(newest_page(lost.home, FIRST))
    assert list(unmade_facts(lost.settings)) == [], "what is damaged has to be read again"


def test_pages_in_another_currency_are_named_with_the_reason_and_no_backfill_is_advised(
    tmp_path: Path,
) -> None:
    of = house(tmp_path / "home", "acme", "harbour")
    of.serve("harbour", "currency@every:eur")
    of.run(BILLED, LAST, only=LEDGER)
    reach = Reach(lambda one: of.transports[one.name])
    named = {one.about: one for one in facts(of.settings, of.clock, reach)}
    assert [one.state for one in unmade_facts(of.settings)] == [], "no run can make them"
    assert "acme: pages" not in named
    assert "harbour: tables" not in named, "a backfill would give it no day"
    assert named["harbour: pages"].state == "FAIL"
    assert named["harbour: pages"].text.startswith(
        f"2 days, {BILLED} to {LAST}, cannot be used. The newest: results[].amount.currency is "
        "eur; this ledger adds dollars to dollars only, in page "
        f"{of.home}/raw/openai/harbour/costs/{LAST}/"
    )


def test_late_days_whose_pages_are_refused_say_so_instead_of_a_backfill(tmp_path: Path) -> None:
    of = house(tmp_path / "home", "acme", "harbour")
    of.serve("harbour", "currency@every:eur")
    of.run(BILLED, LAST, only=(*LEDGER, "mart/coverage"))
    later = Facts(of.settings, of.clock.now + timedelta(days=3))
    [question] = [one for one in DATA_QUESTIONS if Coverage in one.reads and one.rules == (LATE,)]
    because = dict(question.ask(of.lake, later).select("connection", "because").iter_rows())
    assert because["acme"].endswith(READ_AGAIN)
    assert "Kept pages of harbour: 2 days, " in because["harbour"]
    assert "this ledger adds dollars to dollars only" in because["harbour"]
    assert "backfill" not in because["harbour"]


def asked_for(steps: list[Step]) -> set[date]:
    return {when for step in steps if step.job_name == REFRESH for when in step.days}


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        *((DATABASE, harm) for harm in (empty, cut_off, foreign)),
        *((PAGE, harm) for harm in (empty, truncated, foreign)),
        *((COPIES[0], harm) for harm in (empty, truncated, foreign)),
        *((FOCUS_FILE, harm) for harm in (empty, a_flipped_bit)),
    ],
)
def test_a_damaged_published_file_is_named(
    copy: House, name: str, harm: Callable[[Path], None]
) -> None:
    facts = found_after(harm, Path(copy.home) / name, copy)
    about = "page" if name == PAGE else "published files"
    assert list(facts) == [about]
    assert (PAGE if name == PAGE else name.rpartition("/")[0]) in facts[about][1]


def test_float_noise_is_a_warning_that_says_what_verify_does(made: House, tmp_path: Path) -> None:
    harmed = made.moved_to(tmp_path / "home")
    with duckdb.connect(str(harmed.published)) as sql:
        more = "billed_usd + CAST('0.0000000000001' AS DECIMAL(38,18))"
        sql.execute(f"UPDATE mart.spend SET billed_usd = {more} WHERE day = ?", [LAST])  # noqa: S608 - ours
    [(about, (state, text))] = found(harmed).items()
    assert (about, state) == ("tie-outs", "WARN")
    assert text == (
        "1 settled day: off from the control total by float noise, less than $0.000000001. "
        "`verify` lists them, and ends with 1"
    )


def test_the_settled_days_of_a_connection_that_left_were_compared(
    made: House, tmp_path: Path
) -> None:
    without = made.moved_to(tmp_path / "home")
    left = without.lake.read(Coverage).with_columns(is_connected=pl.lit(value=False))
    without.lake.replace_whole(Coverage, left)
    [tie_outs] = [one for one in tie_out_facts(without.settings) if one.about == "tie-outs"]
    assert tie_outs == ("OK", "tie-outs", "every settled day adds up to its control total")


def test_a_home_without_a_settled_day_had_no_sum_to_compare(made: House, tmp_path: Path) -> None:
    first = made.moved_to(tmp_path / "home")
    control = first.lake.read(SpendControl).with_columns(is_settled=pl.lit(value=False))
    slices = {Slice(*key): read_at for key, read_at in first.lake.reads(SpendControl).items()}
    first.lake.replace(SpendControl, [Batch(control, slices)])
    assert found(first)["tie-outs"] == (
        "WARN",
        "no settled day is stored, so no sum was compared",
    )


def test_a_published_total_that_is_wrong_is_named_until_the_command_beside_it_has_run(
    made: House, tmp_path: Path
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    with duckdb.connect(str(harmed.published)) as sql:
        sql.execute("UPDATE mart.spend SET billed_usd = billed_usd + 1000 WHERE day = ?", [LAST])
    [(about, (state, text))] = found(harmed).items()
    assert (about, state) == ("tie-outs", "FAIL")
    assert f"{LAST}, connection tidewater: mart.spend in {DATABASE} adds up to $" in text
    assert f"`openai-costs backfill --offline --from {LAST} --to {LAST}`" in text
    assert harmed.run(LAST, LAST, only={*MONEY, *OUTPUTS}).is_green
    assert found(harmed) == {}
    assert published_total(harmed) == published_total(made)


def test_a_run_replaces_damaged_pages_and_published_files_and_no_foreign_file_changes_a_dollar(
    made: House, tmp_path: Path
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    for below in ("raw", "published", "report"):
        for folder in [path for path in (Path(harmed.home) / below).rglob("*") if path.is_dir()]:
            foreign(folder / ".DS_Store")
            foreign(folder / "core_spend (1).parquet")
    assert found(harmed) == {}
    for harm, when in zip((empty, truncated, foreign), days(FIRST, LAST), strict=True):
        harm(newest_page(harmed.home, when))
    for name in (DATABASE, PAGE):
        empty(Path(harmed.home) / name)
    assert list(found(harmed)) == ["tidewater: kept pages", "page", "published files"]
    assert harmed.run(FIRST, LAST, only={*MONEY, *OUTPUTS}).is_green
    assert found(harmed) == {}
    assert published_total(harmed) == published_total(made)


def test_a_damaged_note_of_an_account_and_a_file_of_mutes_stop_no_money(
    made: House, tmp_path: Path
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    notes = list((Path(harmed.home) / "raw/openai/tidewater").glob("*.json"))
    assert notes
    for note in notes:
        foreign(note)
    a_flipped_bit(newest_page(harmed.home, LAST))
    cut_off(harmed.published)
    truncated(Path(harmed.home) / PAGE)
    (Path(harmed.home) / "mutes.json").write_text('[{"finding": "f1",', encoding="utf-8")
    state, text = found(harmed)["mutes"]
    assert state == "FAIL"
    assert "mutes.json cannot be read" in text
    assert harmed.run(FIRST, LAST, only={*MONEY, *OUTPUTS}).is_green
    assert list(found(harmed)) == ["mutes"]  # only who wrote it can correct it
    assert published_total(harmed) == published_total(made)


def test_damaged_copies_of_tables_are_named_and_the_next_run_replaces_them(
    made: House, tmp_path: Path
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    for harm, name in zip((empty, truncated, foreign), COPIES, strict=True):
        harm(Path(harmed.home) / name)
    [(about, (_, text))] = found(harmed).items()
    assert about == "published files"
    assert [name for name in COPIES if name.rpartition("/")[0] not in text] == []
    assert harmed.run(LAST, LAST, only=OUTPUTS).is_green
    assert found(harmed) == {}
    assert published_total(harmed) == published_total(made)


def test_a_disk_without_room_for_the_copy_of_the_database_is_named(
    made: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place(made.home)
    assert list(space_facts(home)) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_500_000))
    [(state, about, text)] = space_facts(home)
    assert (state, about) == ("FAIL", "home")
    assert text.startswith(f"2 MB are free below {home}, and a publication copies the database of ")
