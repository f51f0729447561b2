"""Damaged files in raw/, published/ and report/: the doctor names them, and money does not stop."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import pytest

from openai_costs.cli.doctor_files import kept_page_facts, mute_facts, published_facts
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs_tests.org import MONEY, House, day

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, LAST = day(16), day(18)
OUTPUTS: Final = ("published/duckdb", "report/cost_explorer")
COPY: Final = "published/parquet/core.spend/2026-11.parquet"


@pytest.fixture
def made(three_days: House) -> House:
    return three_days


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def foreign(path: Path) -> None:
    path.write_bytes(b"\0\0\0\1Bud1" * 40)


def a_flipped_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def newest_page(home: str) -> Path:
    return max((Path(home) / "raw/openai/tidewater/costs" / str(LAST)).iterdir())


def found(of: House) -> dict[str, tuple[str, str]]:
    facts = [
        *kept_page_facts(of.settings, of.connections[0]),
        *published_facts(of.settings),
        *mute_facts(of.settings),
    ]
    return {about: (state, text) for state, about, text in facts}


def published_total(of: House) -> Decimal:
    with duckdb.connect(str(of.published), read_only=True) as sql:
        return sql.sql("SELECT sum(billed_usd) FROM mart.spend").fetchall()[0][0]


def test_sound_files_are_no_fact(made: House) -> None:
    assert found(made) == {}


@pytest.mark.parametrize("harm", [empty, truncated, foreign, a_flipped_bit])
def test_a_damaged_page_is_named_with_the_command_that_reads_its_day_again(
    made: House, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    page = newest_page(harmed.home)
    harm(page)
    state, text = found(harmed)["tidewater: kept pages"]
    assert state == "FAIL"
    assert str(page) in text
    assert f"`openai-costs backfill --from {LAST} --to {LAST}`" in text
    assert harmed.run(FIRST, LAST, only=MONEY).is_green
    assert found(harmed) == {}
    assert published_total(harmed) == published_total(made)


@pytest.mark.parametrize("harm", [empty, truncated, foreign])
@pytest.mark.parametrize("names", [(DATABASE, PAGE), (COPY,)])
def test_a_damaged_published_file_is_named_and_the_next_run_replaces_it(
    made: House, tmp_path: Path, names: tuple[str, ...], harm: Callable[[Path], None]
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    for name in names:
        if name == DATABASE and harm is truncated:
            harmed.published.write_bytes(harmed.published.read_bytes()[:5000])
        else:
            harm(Path(harmed.home) / name)
    texts = {about: text for about, (_, text) in found(harmed).items()}
    assert list(texts) == (["page", "published files"] if PAGE in names else ["published files"])
    for name in names:
        if name == PAGE:
            assert "report/index.html" in texts["page"]
        else:
            assert name.rpartition("/")[0] in texts["published files"]
    assert harmed.run(LAST, LAST, only=OUTPUTS).is_green
    assert found(harmed) == {}
    assert published_total(harmed) == published_total(made)


def test_foreign_files_stop_nothing_and_change_no_dollar(made: House, tmp_path: Path) -> None:
    strewn = made.moved_to(tmp_path / "home")
    for below in ("raw", "published", "report"):
        for folder in [path for path in (Path(strewn.home) / below).rglob("*") if path.is_dir()]:
            foreign(folder / ".DS_Store")
            foreign(folder / "core_spend (1).parquet")
    assert found(strewn) == {}
    assert strewn.run(FIRST, LAST, only={*MONEY, *OUTPUTS}).is_green
    assert published_total(strewn) == published_total(made)


def test_a_damaged_note_of_an_account_is_made_again_from_the_kept_pages(
    made: House, tmp_path: Path
) -> None:
    harmed = made.moved_to(tmp_path / "home")
    notes = list((Path(harmed.home) / "raw/openai/tidewater").glob("*.json"))
    assert notes
    for note in notes:
        foreign(note)
    assert harmed.run(FIRST, LAST, only=MONEY).is_green
    assert published_total(harmed) == published_total(made)


def test_a_damaged_file_of_mutes_is_named_and_stops_no_money(made: House, tmp_path: Path) -> None:
    harmed = made.moved_to(tmp_path / "home")
    (Path(harmed.home) / "mutes.json").write_text('[{"finding": "f1",', encoding="utf-8")
    state, text = found(harmed)["mutes"]
    assert state == "FAIL"
    assert "mutes.json cannot be read" in text
    assert harmed.run(FIRST, LAST).is_green
    assert published_total(harmed) == published_total(made)
