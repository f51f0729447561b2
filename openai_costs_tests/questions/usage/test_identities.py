from __future__ import annotations

from openai_costs.questions.usage.consistency import contradictions, negative_counts
from openai_costs_tests.questions.usage.frames import tokens, usage


def test_counts_that_add_up_are_no_contradiction() -> None:
    row = tokens(500, cached=400, write=100, output=70, input_audio_tokens=0, input_image_tokens=0)
    assert contradictions(usage(row)).is_empty()


def test_a_contradiction_names_both_numbers() -> None:
    wrong = contradictions(usage(tokens(500, cached=400, input_tokens=901)))["sums"].item()
    assert "input_tokens is 901, while its parts add up to 900 (" in wrong


def test_a_part_that_is_not_known_leaves_room_for_what_is_missing_to_the_whole() -> None:
    old = tokens(500, cached=400, input_tokens=1_000, input_cache_write_tokens=None)
    assert contradictions(usage(old)).is_empty()


def test_the_parts_that_are_known_may_never_exceed_the_whole() -> None:
    old = tokens(5, cached=12, input_tokens=10, input_uncached_tokens=None)
    wrong = contradictions(usage(old))["sums"].item()
    assert wrong == (
        "input_tokens is 10, while its parts add up to 12 "
        "(input_cached_tokens 12, input_cache_write_tokens 0)"
    )


def test_every_contradiction_of_a_row_is_reported() -> None:
    row = tokens(5, output=3, input_tokens=6, output_audio_tokens=0, output_image_tokens=1)
    told = contradictions(usage(row))["sums"].item()
    assert "input_tokens is 6" in told
    assert "output_tokens is 3, while its parts add up to 4" in told


def test_a_count_below_zero_is_reported_with_its_name() -> None:
    rows = usage(tokens(1), tokens(1, num_model_requests=-2, output_tokens=-1))
    assert negative_counts(rows)["counts"].item() == "output_tokens -1, num_model_requests -2"


def test_a_count_that_is_not_known_is_not_negative() -> None:
    assert negative_counts(usage({})).is_empty()
