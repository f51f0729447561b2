from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from openai_costs.outputs.report.page_model import page_model
from openai_costs.outputs.report.render import render
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.report.bill import restated, tables
from openai_costs_tests.outputs.report.browser import BROWSER, scroll_width
from openai_costs_tests.questions.budgets.ledger import budget, counted, status

if TYPE_CHECKING:
    from pathlib import Path

PHONE: Final = 390


def full_page() -> str:
    """A page with a budget, a restatement and four hundred days: everything that can be wide."""
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(400)]
    rows = [("acme", "costs", day, "settled", 1, None, None) for day in days]
    made = tables(
        [(1, "proj_a", "user-a", "10.01"), (2, "proj_b", None, "1,234.5".replace(",", ""))],
        "ss",
        coverage=connected(rows),
        budget_status=status(budget(), counted()),
        restatements=restated(1, "1", "2", "proj_a / user-a / gpt-5, input: 1 -> 2 USD"),
    )
    return render(page_model(made, datetime(2026, 2, 5, tzinfo=UTC)))


def test_the_page_is_as_wide_as_a_phone_and_no_wider(tmp_path: Path) -> None:
    if BROWSER:
        assert scroll_width(full_page(), PHONE, tmp_path) == PHONE
    style = files("openai_costs.outputs.report").joinpath("explorer.css").read_text("utf-8")
    assert re.search(r"\.scroll \{[^}]*position: relative", style)
    assert re.search(r"\.calendar \{[^}]*min-width: 0", style)


def test_every_landmark_has_a_name_of_its_own() -> None:
    html = full_page()
    headings = dict(re.findall(r'<h2 id="([^"]+)"[^>]*>([^<]+)</h2>', html))
    sections = [headings[name] for name in re.findall(r'aria-labelledby="([^"]+)"', html)]
    regions = re.findall(r'role="region" aria-label="([^"]+)"', html)
    assert len(regions) == 3
    assert len(set(sections + regions)) == len(sections) + len(regions)
