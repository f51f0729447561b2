from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.cli.ending import ending, with_ending
from openai_costs.cli.run_output import RunFailedError, Stopped
from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.outputs.publish.publication import Publication
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.alerts.fixtures import NOW, finding

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Publication:
    return Publication(UPath(tmp_path), Lake(UPath(tmp_path)))


def evaluated(home: Publication, *ids: str) -> None:
    found = [finding(finding_id=one, subject_id=one) for one in ids]
    home.lake.replace_whole(Findings, findings_frame(found))


def told(home: Publication, *ids: str, patch: pytest.MonkeyPatch) -> list[bool]:
    """Return whether each printed ending was a brief one, after a backfill that left findings."""
    brief: list[bool] = []
    patch.setattr(
        "openai_costs.cli.ending.ending",
        lambda *_, is_brief: [brief.append(is_brief), "the ending"][1:],
    )
    with with_ending(home, lambda: NOW, lambda _: None):
        evaluated(home, *ids)
    return brief


def test_the_ending_is_brief_where_no_finding_opened_or_closed(
    home: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(home, "aaa", patch=monkeypatch) == [False]
    assert told(home, "aaa", patch=monkeypatch) == [True]
    assert told(home, "aaa", "bbb", patch=monkeypatch) == [False]


def test_a_backfill_of_which_a_part_failed_has_an_ending_and_a_stopped_one_has_none(
    home: Publication,
) -> None:
    lines: list[str] = []
    evaluated(home, "aaa")
    with pytest.raises(RunFailedError), with_ending(home, lambda: NOW, lines.append):
        raise RunFailedError(["no answer"])
    assert lines[-1].startswith("\nNext: openai-costs report --open --home ")
    lines.clear()
    with pytest.raises(Stopped), with_ending(home, lambda: NOW, lines.append):
        raise Stopped
    assert lines == []


def test_before_any_day_was_read_there_is_no_ending(home: Publication) -> None:
    assert home.lake.read(Findings).equals(pl.DataFrame(schema=Findings.types()))
    assert list(ending(home, NOW)) == []
