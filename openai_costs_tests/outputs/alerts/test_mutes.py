from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.outputs.alerts.mutes import (
    FILE,
    damaged_mutes,
    keep_mute,
    kept_mutes,
    mutes_in_force,
    restore_mutes,
    with_mutes,
)
from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.settings import Alerts, Mute
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.alerts.fixtures import day, finding

if TYPE_CHECKING:
    from pathlib import Path


def mute(name: str = "f1", until: int = 25, **other: str) -> Mute:
    return Mute(finding=name, reason="known", until=day(until), **other)


def test_a_mute_is_kept_and_read_again(tmp_path: Path) -> None:
    home = UPath(tmp_path / "new")
    keep_mute(home, mute(by="Ada"))
    assert kept_mutes(home) == (mute(by="Ada"),)


def test_a_newer_mute_counts_and_the_record_keeps_the_older(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    keep_mute(home, mute("f1", 21))
    keep_mute(home, mute("f2", 28))
    keep_mute(home, mute("f2", 29))
    assert kept_mutes(home) == (mute("f2", 29), mute("f1", 21))
    assert len(list((tmp_path / "record/mutes").iterdir())) == 3


def test_mutes_of_the_home_come_before_those_of_the_file(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    keep_mute(home, mute("f1"))
    merged = with_mutes(Alerts(mutes=(mute("f2"),)), home)
    assert [one.finding for one in merged.mutes] == ["f1", "f2"]


def test_without_a_file_there_are_no_mutes(tmp_path: Path) -> None:
    assert kept_mutes(UPath(tmp_path)) == ()


def test_an_unreadable_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[{"finding": "f1"}]')
    with pytest.raises(
        SettingsError,
        match=r"mutes.json cannot be read: reason is required: add it. Correct",
    ):
        kept_mutes(UPath(tmp_path))


def test_the_mutes_in_force_are_read_from_the_findings_that_they_mute() -> None:
    muted = replace(
        finding(),
        finding_id="f1",
        state="muted",
        mute_reason="known",
        muted_until=day(25),
        muted_by="Ada",
    )
    table = findings_frame([muted, finding()])
    assert mutes_in_force(table) == (mute("f1", by="Ada"),)


def test_a_mute_covers_a_finding_through_its_last_day() -> None:
    about = ("f1", "anomalies.spike", "acme", "key_etl")
    assert mute("f1", 25).covers(*about, day(25))
    assert not mute("f1", 25).covers(*about, day(26))
    assert not mute("f2", 25).covers(*about, day(25))


def test_a_mute_may_be_about_rules_connections_and_subjects() -> None:
    about = ("f1", "anomalies.spike", "acme", "key_etl")
    for fits in ({"rule": "anomalies.*"}, {"connection": "acme"}, {"subject": "key_*"}):
        assert mute("", **fits).covers(*about, day(20))
    assert not mute("", rule="anomalies.*", connection="labs").covers(*about, day(20))


def test_a_mute_of_everything_and_an_address_in_it_are_refused() -> None:
    with pytest.raises(ValidationError, match="would mute everything"):
        mute("")
    with pytest.raises(ValidationError, match="e-mail address"):
        mute(by="ada@acme.example")


def test_a_key_in_the_reason_of_a_mute_is_its_kind_alone() -> None:
    reason, by = "rotated sk-admin-Tq7ZqLx2vHn9KpW4", "ghp_" + "a" * 24
    made = Mute(finding="f1", reason=reason, until=day(25), by=by)
    assert (made.reason, made.by) == ("rotated sk-[redacted]", "ghp_[redacted]")


def test_the_mutes_of_version_0_1_move_into_the_record_once(tmp_path: Path) -> None:
    home, old = UPath(tmp_path), tmp_path / FILE
    content = '[{"finding": "f2", "reason": "known", "until": "2026-11-25"}]'
    old.write_text(content, encoding="utf-8")
    assert kept_mutes(home) == (mute("f2"),)
    assert not old.exists()
    old.write_text(content, encoding="utf-8")  # as if it had been killed before it was removed
    assert kept_mutes(home) == (mute("f2"),)
    assert [file.name for file in (tmp_path / "record/mutes").iterdir()] == ["00000001.json"]


def test_a_damaged_entry_of_mutes_is_made_up_for_by_the_findings(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    keep_mute(home, mute("f1", by="Ada"))
    keep_mute(home, mute("f2"))
    muted = {"state": "muted", "mute_reason": "known", "muted_until": day(25), "muted_by": "Ada"}
    Lake(home).replace_whole(Findings, findings_frame([replace(finding(finding_id="f1"), **muted)]))
    (tmp_path / "record/mutes/00000001.json").write_bytes(b"")
    assert set(kept_mutes(home)) == {mute("f1", by="Ada"), mute("f2")}
    assert "00000001.json is damaged" in damaged_mutes(home)[0]
    restore_mutes(home)
    assert damaged_mutes(home) == []
    assert set(kept_mutes(home)) == {mute("f1", by="Ada"), mute("f2")}
