from __future__ import annotations

from typing import Final

from openai_costs.settings.error_location import line_of

SAID: Final = """\
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
    assert line_of(SAID, ("reading", "trailing_days")) == 3
    assert line_of(SAID, ("alerts", "dagster_url")) == 6


def test_the_second_of_several_sections_is_told_from_the_first() -> None:
    assert line_of(SAID, ("alerts", "routes", 0, "name")) == 9
    assert line_of(SAID, ("alerts", "routes", 1, "name")) == 12
    assert line_of(SAID, ("alerts", "routes", 1, "to", 0)) == 13


def test_a_setting_that_is_missing_is_on_the_line_of_its_section() -> None:
    assert line_of(SAID, ("alerts", "routes", 1, "url_env")) == 11
    assert line_of(SAID, ("alerts", "mutes", 0)) == 5


def test_what_is_not_in_the_file_has_no_line() -> None:
    assert line_of(SAID, ("connections", 0, "name")) is None
    assert line_of("", ("alerts",)) is None
