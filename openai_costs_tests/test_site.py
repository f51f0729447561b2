"""The documentation as a site: it builds without a network, and every page is in its menu."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def _leaves(nav: list[str | dict[str, list[str]]]) -> list[str]:
    groups = ([entry] if isinstance(entry, str) else next(iter(entry.values())) for entry in nav)
    return [page for group in groups for page in group]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("docs")
    shutil.copytree(DOCS, home / "docs")
    shutil.copy(ROOT / "zensical.toml", home)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]  # a dead link ends it
    built = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)  # noqa: S603
    assert built.returncode == 0, built.stdout + built.stderr
    return home / "site"


def test_every_page_is_in_the_menu_once() -> None:
    nav = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    pages = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    assert sorted(_leaves(nav)) == pages


def test_the_site_loads_nothing_from_another_server(site: Path) -> None:
    pages = [page.read_text("utf-8") for page in site.rglob("*.html")]
    assert len(pages) > len(list(DOCS.glob("*.md")))
    loaded = [
        tag
        for page in pages
        for tag in re.findall(r"<(?:script|img|iframe|link rel=.?stylesheet)[^>]*>", page)
    ]
    assert loaded
    assert not [tag for tag in loaded if re.search(r"(?:src|href)=[\"']?(?:https?:)?//", tag)]
