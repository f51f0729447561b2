"""What the doctor says of export files that a backfill would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openai_costs_tests.sources.exports.files import Export, csv_of, row

if TYPE_CHECKING:
    from pathlib import Path

NOVEMBER = csv_of(row("2026-11-26", "1"), row("2026-11-27", "2"))


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path)


def test_two_files_of_the_same_days_are_named_before_a_backfill_refuses_them(export: Export):
    export.put("a.csv", csv_of(row("2026-10-26", "1")))
    export.put("b.csv", NOVEMBER)
    assert [one.state for one in export.facts()] == ["OK", "OK"]
    export.put("a (1).csv", csv_of(row("2026-10-26", "3")))
    _, why = export.facts()
    assert (why.state, why.about) == ("FAIL", "files")
    assert "a (1).csv and " in why.text
    assert "which of the two runs is newer" in why.text
    assert why.text == export.read()


def test_a_file_beside_a_run_with_an_instant_is_named_too(export: Export):
    export.put("run=20261128T030000Z/0.csv", NOVEMBER)
    export.put("b.csv", NOVEMBER)
    assert "which of the two runs is newer" in export.facts()[-1].text


def test_an_address_of_no_known_kind_is_named_and_no_trace(tmp_path: Path):
    export = Export(tmp_path, "s3x://bills/focus/")
    (why,) = export.facts()
    assert (why.state, why.about) == ("FAIL", "files")
    assert "Correct its name in openai_costs.toml" in why.text
    assert why.text == export.read()


def test_a_newest_run_with_a_file_twice_is_named(export: Export):
    for name in ("0.csv", "0 (1).csv"):
        export.put(f"run=20261128T030000Z/{name}", NOVEMBER)
    assert export.facts()[-1].text == export.read()


def test_a_newest_run_of_which_nothing_says_the_month_is_named(export: Export):
    export.put("run=20261128T030000Z/0.csv", NOVEMBER)
    _, newest = export.facts()
    assert newest.state == "OK"
    assert "no manifest or folder says which month it is about" in newest.text
    export.put("2026-11/run=20261128T040000Z/0.csv", NOVEMBER)
    assert "which month" not in export.facts()[-1].text
