"""A page whose every name, id and reason holds markup, script, formulas and hidden characters."""

from __future__ import annotations

import subprocess
from contextlib import nullcontext
from shutil import which
from typing import TYPE_CHECKING, Any, Final, cast

import polars as pl
import pytest

from openai_costs.outputs.publish.publication import Publication
from openai_costs.outputs.report.cost_explorer import PAGE, write_report
from openai_costs.storage.files import place
from openai_costs_tests.conftest import DEMO_NOON

if TYPE_CHECKING:
    from pathlib import Path

    from openai_costs.storage.lake import Lake

BROWSER: Final = which("chromium") or which("chromium-browser") or which("google-chrome")
RUN: Final = "document.documentElement.dataset.pwned=1"
PAYLOAD: Final = (
    f'</script><script>{RUN}</script><img src=x onerror={RUN}>"><svg onload={RUN}>'
    f"' autofocus onfocus='{RUN}'<!--]]>{{{{{RUN}}}}}=1+1\u202egnp.exe\u2028"
)
NAMES: Final = ("name", "team", "model", "line_item", "because", "owner", "email", "why", "_id")


class Hostile:
    """A lake that adds the payload to every text of a person's or provider's making."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the lake has
        return getattr(self._lake, name)

    def read(self, *asked: Any, **more: Any) -> pl.DataFrame:  # noqa: ANN401 - handed on
        frame = self._lake.read(*asked, **more)
        texts = frame.select(pl.col(pl.String)).columns
        mine = [one for one in texts if one.endswith(NAMES)]
        return frame.with_columns(pl.col(*mine) + PAYLOAD) if mine else frame


@pytest.fixture(scope="module")
def page(told_demo: tuple[Lake, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, lake = tmp_path_factory.mktemp("hostile"), cast("Lake", Hostile(told_demo[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publication, "tables", lambda _: nullcontext(lake))
        write_report(Publication(place(str(home)), lake), DEMO_NOON)
    return home / PAGE


def test_a_name_is_no_markup_in_the_file(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "gnp.exe" in text
    for markup in (f"<script>{RUN}", "<img src=x", f"<svg onload={RUN}"):
        assert markup not in text


@pytest.mark.skipif(not BROWSER, reason="no Chromium here, so no browser can say what it runs")
def test_no_script_of_a_name_runs_on_the_page(page: Path, tmp_path: Path) -> None:
    options = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"),
        *("--disable-background-networking", "--virtual-time-budget=5000", "--dump-dom"),
        f"--user-data-dir={tmp_path}",
    )
    address = f"{page.as_uri()}#by=model&then=user"
    shown = subprocess.run(  # noqa: S603 - our own page
        [str(BROWSER), *options, address], capture_output=True, text=True, check=True, timeout=180
    ).stdout
    assert "gnp.exe" in shown
    assert "data-pwned=" not in shown
    assert "<img" not in shown
