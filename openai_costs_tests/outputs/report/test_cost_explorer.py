from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from upath import UPath

from openai_costs.outputs.alerts.rows import findings_frame
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.publication import Publication
from openai_costs.outputs.report import cost_explorer
from openai_costs.outputs.report.cost_explorer import read_opening, read_page
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.alerts.fixtures import NOW, finding

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_the_page_opens_with_is_read_once_for_the_same_publication_and_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, reads = UPath(tmp_path), list[datetime]()
    publication = Publication(home, Lake(home))
    publish(home, publication.lake)
    read_tables = cost_explorer.read_tables
    monkeypatch.setattr(
        cost_explorer,
        "read_tables",
        lambda lake, now: [reads.append(now), read_tables(lake, now)][1],
    )
    page = read_page(publication, NOW)
    assert read_opening(Publication(home, Lake(home)), NOW) == (page.first, page.questions)
    assert len(reads) == 1
    publication.lake.replace_whole(Findings, findings_frame([finding()]))
    assert read_opening(publication, NOW) == (page.first, page.questions)
    publish(home, publication.lake)
    assert len(read_opening(publication, NOW).first.decisions) == 1
    assert len(reads) == 2
    read_opening(publication, NOW + timedelta(days=1))
    assert len(reads) == 3
