"""The directory as an asset: its two checks, over files of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from openai_costs.settings import Directory
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.people.assets import engineers
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.engineers import Engineers
from openai_costs_tests.org import calm, unrecorded

if TYPE_CHECKING:
    from pathlib import Path


def read(
    folder: Path, files: dict[str, str]
) -> tuple[Lake, dict[str, dg.AssetCheckEvaluation], dict[str, object]]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    home, config = str(folder / "data"), folder / "openai_costs.toml"
    settings = Settings(
        home=home,
        config_file=config,
        connections=(OpenAIConnection(name="acme"),),
        directory=Directory.model_validate({"files": tuple(files)}),
    )
    lake = Lake(place(home))
    with calm(), unrecorded() as instance:
        result = dg.materialize(
            [engineers], instance=instance, resources={"lake": lake, "settings": settings}
        )
    checks = {one.check_name: one for one in result.get_asset_check_evaluations()}
    (event,) = result.asset_materializations_for_node(engineers.op.name)
    return lake, checks, {name: value.value for name, value in event.metadata.items()}


def test_rows_that_repeat_a_person_are_counted_and_an_odd_row_is_a_warning(tmp_path: Path) -> None:
    catalog = "kind: User\nmetadata: {name: ada}\nspec: {profile: {email: ada@tide.example}}\n"
    hr = "email,status\nada@tide.example,left\njon@tide.example,moonlighting\n"
    lake, checks, figures = read(tmp_path, {"catalog.yaml": catalog, "hr.csv": hr})
    people = lake.read(Engineers)
    assert dict(people.select("email", "status").rows()) == {
        "ada@tide.example": "left",
        "jon@tide.example": "active",
    }
    assert figures["overlaps"] == 1
    assert checks["believable"].passed
    assert "1 row repeated a person" in str(checks["believable"].description)
    odd = checks["every_row_used"]
    assert (odd.passed, odd.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "hr.csv, line 3: the status 'moonlighting' is unknown" in str(odd.description)
    assert "@" not in str(odd.description)


def test_a_file_of_no_one_doubts_the_directory_without_quoting_an_address(tmp_path: Path) -> None:
    lists = {"hr.csv": "noor@tide.example\ntess@tide.example\n"}
    lake, checks, _ = read(tmp_path, lists)
    assert lake.read(Engineers).is_empty()
    assert not checks["believable"].passed
    assert "hr.csv, line 1" in str(checks["believable"].description)
    assert "@" not in str(checks["believable"].description)
