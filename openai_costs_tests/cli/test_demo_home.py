from __future__ import annotations

from pathlib import Path

import pytest

from openai_costs.cli.demo_home import LIST, demo_folder, fresh
from openai_costs.kernel.errors import SettingsError
from openai_costs.sample.setup import is_demo

SETTINGS = '[[connections]]\nname = "sample"\nbase_url = "sample://tidewater"\n'
FILES = {"openai_costs.toml": SETTINGS.encode(), "company/people.csv": b"name"}
TABLE, PAGE = "lake/core/spend/sample/2026-11-03.parquet", "raw/openai/sample/costs/r1.tar.zst"


def demo(home: Path, *made: str) -> None:
    """Let a demo make some files."""
    with fresh(home, FILES):
        for name in made:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text("made", encoding="utf-8")


def there(home: Path) -> set[str]:
    files = (path for path in home.rglob("*") if path.is_file() and path.name != LIST)
    return {path.relative_to(home).as_posix() for path in files}


def mine(home: Path, *names: str) -> set[str]:
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("mine", encoding="utf-8")
    return set(names)


def test_a_demo_replaces_what_an_earlier_one_made_and_nothing_else(tmp_path: Path) -> None:
    demo(tmp_path, TABLE, PAGE)
    others = mine(tmp_path, "my-analysis.xlsx", "sub/notes.md", "report/notes.md", "company/x.csv")
    demo(tmp_path, PAGE)
    assert there(tmp_path) == {*FILES, PAGE, *others}
    assert not (tmp_path / "lake").exists()
    demo(tmp_path)
    assert there(tmp_path) == {*FILES, *others}
    assert (tmp_path / "sub/notes.md").read_text(encoding="utf-8") == "mine"


def test_a_demo_that_was_stopped_is_replaced_without_what_was_there_before(tmp_path: Path) -> None:
    demo(tmp_path, TABLE)
    others = mine(tmp_path, "report/notes.md", "sub/notes.md")
    with pytest.raises(FileExistsError):
        demo(tmp_path, PAGE, "published/openai_costs.duckdb", f"{PAGE}/of a file")
    demo(tmp_path)
    assert there(tmp_path) == {*FILES, *others}


def test_data_that_no_demo_made_is_neither_deleted_nor_mixed_with_a_demo(tmp_path: Path) -> None:
    demo(tmp_path, TABLE)
    mine(tmp_path, PAGE, ".DS_Store", "raw/.DS_Store")
    with pytest.raises(SettingsError, match=f"contains 1 data file .* such as {PAGE}"):
        demo(tmp_path)
    assert PAGE in there(tmp_path)


def test_a_folder_without_a_demo_is_refused(tmp_path: Path) -> None:
    mine(tmp_path, "chapter.txt")
    with pytest.raises(SettingsError, match="is not empty and contains no demo"):
        demo(tmp_path)
    assert there(tmp_path) == {"chapter.txt"}


@pytest.mark.parametrize(
    "text",
    [
        '# base_url = "sample://tidewater" shows a demo\n[[connections]]\nname = "acme"\n',
        SETTINGS + '[[connections]]\nname = "acme"\nbase_url = "https://api.example/v1"\n',
        "sample:// is not TOML",
        'connections = "sample://"',
    ],
)
def test_settings_that_speak_of_the_sample_are_no_demo(tmp_path: Path, text: str) -> None:
    (tmp_path / "openai_costs.toml").write_text(text, encoding="utf-8")
    assert not is_demo(tmp_path)


def test_a_demo_on_an_object_store_is_refused_in_a_sentence() -> None:
    with pytest.raises(SettingsError, match="memory://costs/demo is not on this machine, and a"):
        demo_folder("memory://costs/demo")
