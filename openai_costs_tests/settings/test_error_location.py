from __future__ import annotations

from typing import Final

import pytest

from openai_costs.settings.error_location import Objection, Where, line_of, named, sentence

FILE: Final = """\
# a comment
[reading]
trailing_days = 7

[alerts]
dagster_url = "https://d.example"

[[alerts.routes]]
name = "a"

[[alerts.routes]]
name = "b"
to = ["x"]
"""


def test_a_setting_is_found_by_its_way() -> None:
    assert line_of(FILE, ("reading", "trailing_days")) == 3
    assert line_of(FILE, ("alerts", "dagster_url")) == 6


def test_the_second_of_several_sections_is_distinguished_from_the_first() -> None:
    assert line_of(FILE, ("alerts", "routes", 0, "name")) == 9
    assert line_of(FILE, ("alerts", "routes", 1, "name")) == 12
    assert line_of(FILE, ("alerts", "routes", 1, "to", 0)) == 13


def test_a_setting_that_is_missing_is_on_the_line_of_its_section() -> None:
    assert line_of(FILE, ("alerts", "routes", 1, "url_env")) == 11
    assert line_of(FILE, ("alerts", "mutes", 0)) == 5


def test_a_setting_outside_the_file_has_no_line() -> None:
    assert line_of(FILE, ("connections", 0, "name")) is None
    assert line_of("", ("alerts",)) is None


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (("reading", "trailing_days"), "[reading] trailing_days"),
        (("alerts",), "[alerts]"),
        (("budgets_file",), "budgets_file"),
        (("alerts", "routes", 1, "to", 0), "[[alerts.routes]] to (entry 1)"),
        (("alerts", "routes", 1), "[[alerts.routes]]"),
        (("teams", 0), "[[teams]]"),
        (("seats", "subscription_labels", 1), "[seats] subscription_labels (entry 2)"),
        (("gateway", "models", "fast"), "[gateway] models.fast"),
    ],
)
def test_a_setting_is_called_by_its_header_and_name(where: Where, name: str) -> None:
    assert named(where, FILE) == name


def test_a_sentence_names_the_file_both_lines_and_the_page() -> None:
    names = (("alerts", "routes", number, "name") for number in (1, 0))
    assert sentence(Objection(next(names), "is taken", next(names)), "a.toml", FILE) == (
        "a.toml, line 12: [[alerts.routes]] name is taken. The other one is on line 9. "
        "docs/operations.md#settings lists what is allowed."
    )


def test_a_question_has_no_full_stop_behind_it() -> None:
    text = sentence(Objection(("readin",), "is unknown; did you mean 'reading'?"), "a.toml", FILE)
    assert text.startswith("a.toml: readin is unknown; did you mean 'reading'? docs/")
