from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.storage.files import replace_file
from openai_costs.storage.locks import held
from openai_costs.storage.permissions import (
    close_to_others,
    open_to_others,
    write_for_owner_only,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_costs.storage.lake import Lake


@pytest.fixture
def generous() -> Iterator[None]:
    """A process that gives every right to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.usefixtures("generous")
def test_what_a_process_writes_is_for_its_owner_only(tmp_path: Path) -> None:
    write_for_owner_only()
    replace_file(UPath(tmp_path / "raw/openai/page"), b"costs")
    with held(tmp_path / "lake/.lock"):
        pass
    (tmp_path / "published").mkdir()
    assert list(open_to_others(UPath(tmp_path))) == []
    assert (mode(tmp_path / "raw/openai"), mode(tmp_path / "raw/openai/page")) == (0o700, 0o600)


@pytest.mark.usefixtures("generous")
def test_what_was_open_to_others_is_closed_and_the_owner_keeps_every_right(tmp_path: Path) -> None:
    for name in ("published/openai_costs.duckdb", "my-notes/mine.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"by a program that gives rights to others")
    (tmp_path / "published/link").symlink_to(tmp_path / "my-notes/mine.md")
    names = {path.name for path in open_to_others(UPath(tmp_path))}
    assert names == {"published", "openai_costs.duckdb"}
    close_to_others(UPath(tmp_path))
    assert list(open_to_others(UPath(tmp_path))) == []
    assert mode(tmp_path / "published") == 0o700
    assert mode(tmp_path / "published/openai_costs.duckdb") == 0o600
    assert mode(tmp_path / "my-notes/mine.md") == 0o666


def test_an_object_store_has_rules_of_its_own() -> None:
    home = UPath(f"memory://{uuid4()}")
    replace_file(home / "raw/page", b"costs")
    assert list(open_to_others(home)) == []


def test_nothing_below_the_home_of_a_demo_can_be_read_by_others(
    told_demo: tuple[Lake, str],
) -> None:
    home = told_demo[0].root.parent
    assert sum(1 for _ in home.rglob("*")) > 300
    assert list(open_to_others(home)) == []
