"""Words of the first screen are explained where they stand."""

from __future__ import annotations

from openai_costs.outputs.report.words import WORDS, explained


def test_each_word_in_a_text_is_explained_once() -> None:
    assert explained("through 28 Nov, 2 provisional") == WORDS["provisional"]
    assert explained("44 settled days tie out, difference $0.00") == WORDS["tie out"]
    both = explained("2 provisional days; 0.0 % of dollars without a user")
    assert both == f"{WORDS['provisional']} {WORDS['without a user']}"


def test_a_text_without_such_a_word_has_no_explanation() -> None:
    assert explained("Everything else: +$1.00") == ""
