from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from upath import UPath

from openai_costs.cli import doctor_protection
from openai_costs.cli.doctor_protection import protection_facts
from openai_costs.outputs.publish.database import publish
from openai_costs.settings.at_rest import Publish, Storage
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.storage.home import FOLDERS
from openai_costs.storage.lake import Lake
from openai_costs_tests.org import house

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs.settings.load import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PUBLICATION_KEY", "a key that no one can guess")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return house(tmp_path, "acme").settings


def on(monkeypatch: pytest.MonkeyPatch, disk: str) -> None:
    monkeypatch.setattr(doctor_protection, "encrypted_by", lambda _folder: disk)


def facts(settings: Settings) -> dict[str, tuple[str, str]]:
    found = {one.about: (one.state, one.text) for one in protection_facts(settings)}
    return {about.removeprefix("at rest: "): fact for about, fact in found.items()}


def test_each_place_has_a_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, "dm-crypt")
    found = facts(settings)
    assert tuple(found) == FOLDERS
    state, text = found["raw"]
    assert state == "OK"
    assert text.startswith("not there yet; encrypted at rest: dm-crypt (")


def test_a_plain_disk_fails_only_where_encryption_is_required(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, "")
    assert {state for state, _ in facts(settings).values()} == {"OK"}
    required = settings.model_copy(update={"storage": Storage(encryption="required")})
    assert {state for state, _ in facts(required).values()} == {"FAIL"}
    assert "nothing says that the disk is encrypted" in facts(required)["lake"][1]


def test_the_database_says_whether_it_is_encrypted_and_that_the_page_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, "dm-crypt")
    home = UPath(settings.home)
    publish(home, Lake(home))
    assert "the database has no key of its own" in facts(settings)["published"][1]
    section = Publish(encryption_key_env="PUBLICATION_KEY")
    keyed = settings.model_copy(update={"publish": section})
    assert "not encrypted yet: publish again" in facts(keyed)["published"][1]
    publish(home, Lake(home), publication_key(keyed))
    assert "the database is encrypted by DuckDB (AES-GCM" in facts(keyed)["published"][1]
    assert "does not encrypt the page" in facts(keyed)["report"][1]
    state, text = facts(settings)["published"]
    assert (state, "is not there any more" in text) == ("WARN", True)
