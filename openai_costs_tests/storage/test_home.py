from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.storage.home import (
    FOLDERS,
    refuse_unreadable,
    refuse_unusable,
    refuse_unwritable,
)
from openai_costs.storage.store_faults import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_home_that_is_not_there_yet_can_be_used(tmp_path: Path) -> None:
    refuse_unwritable(UPath(tmp_path / "new"))
    assert list((tmp_path / "new").iterdir()) == []


def test_an_object_store_can_be_used() -> None:
    home = UPath(f"memory://{uuid4()}")
    refuse_unwritable(home)
    assert not (home / ".probe").exists()


def test_an_object_store_that_may_only_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("Access Denied.")

    home = UPath(f"memory://{uuid4()}")
    monkeypatch.setattr("openai_costs.storage.home.replace_file", refused)
    sentence = (
        f"{home} cannot be written to: Access Denied. Check the credentials, and which rights they "
        "have there, then run the command again."
    )
    with pytest.raises(StoreUnusable, match=f"^{re.escape(sentence)}$"):
        refuse_unwritable(home)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(NotADirectoryError) as caught:
        refuse_unusable(UPath(tmp_path))
    assert caught.value.filename == str(tmp_path / name)


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, unreadable: Callable[[Path], None]
) -> None:
    (tmp_path / "raw/openai/acme").mkdir(parents=True)
    refuse_unreadable(UPath(tmp_path))
    unreadable(tmp_path / "raw/openai/acme")
    with pytest.raises(PermissionError) as caught:
        refuse_unreadable(UPath(tmp_path))
    assert caught.value.filename == str(tmp_path / "raw/openai/acme")
