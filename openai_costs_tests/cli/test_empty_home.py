from __future__ import annotations

from pathlib import Path

import pytest
from upath import UPath

from openai_costs.cli.empty_home import (
    NEEDED,
    NothingMade,
    NothingStored,
    refuse_empty,
    refuse_unread,
)
from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.settings.settings_file import NAME as CONFIG
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import LEDGER, day, house
from openai_costs_tests.outputs.alerts.fixtures import finding


@pytest.mark.parametrize("what", sorted(NEEDED))
def test_a_home_without_data_is_an_error_that_names_it_and_the_demo_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    empty = UPath(tmp_path / "data")
    with pytest.raises(NothingStored) as failed:
        refuse_empty(empty, what)
    assert str(failed.value) == (
        f"There are no {what} in {empty} yet, because no data has been read into it. "
        "`openai-costs backfill` reads your own data."
    )
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / CONFIG).write_text(
        '[[connections]]\nbase_url = "sample://organisation"', "utf-8"
    )
    with pytest.raises(NothingStored, match=f"A demo is in {tmp_path / 'demo'}: add --home"):
        refuse_empty(empty, what)


def test_a_demo_that_was_stopped_before_its_first_day_does_not_name_itself_as_the_one_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stopped = tmp_path / "demo"
    stopped.mkdir()
    (stopped / CONFIG).write_text('[[connections]]\nbase_url = "sample://organisation"', "utf-8")
    with pytest.raises(NothingStored) as failed:
        refuse_empty(UPath(stopped), "findings")
    assert str(failed.value) == (
        f"There are no findings in {stopped} yet, because no data has been read into it. The demo "
        f"in it was stopped: `openai-costs demo --home {stopped}` makes it again."
    )


def test_a_home_with_the_table_is_not_refused(tmp_path: Path) -> None:
    Lake(UPath(tmp_path)).replace_whole(Findings, findings_frame([finding()]))
    refuse_empty(UPath(tmp_path), "findings")


@pytest.mark.parametrize("what", ["findings", "days of costs"])
def test_a_home_with_days_and_no_table_of_all_days_is_not_called_unread(
    tmp_path: Path, what: str
) -> None:
    made = house(tmp_path / "home")
    assert made.run(day(16), day(16), only=LEDGER).is_green
    with pytest.raises(NothingMade, match=f"There are no {what} in .*: days have been read into "):
        refuse_empty(UPath(made.home), what)
    refuse_empty(UPath(made.home), "settled days")


def test_the_days_that_a_command_is_about_are_named(tmp_path: Path) -> None:
    text = str(NothingStored(UPath(tmp_path), "kept pages", "2026-01-01 to 2026-01-02"))
    assert "no data of 2026-01-01 to 2026-01-02 has been read into it" in text


def test_whoever_is_forgotten_was_read_first_and_kept_pages_are_enough(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    with pytest.raises(NothingStored, match="There are no people in"):
        refuse_unread(home, "people")
    (home / "raw").mkdir()
    refuse_unread(home, "people")
