from __future__ import annotations

import re
import time

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.redaction import (
    ADDRESS,
    has_address,
    redacted,
    without_addresses,
    without_domains,
)
from openai_costs.kernel.sql_text import literal

ADDRESSES = (
    ("ada@acme.example", "ada"),
    ("jö@firma.de", "jö"),
    ("bob@müller.de", "bob"),
    ("o'brien+x@sub.acme.example", "o'brien+x"),
    ("Ада@пример.рф", "Ада"),
)
NO_ADDRESSES = ("claude-haiku@20251001", "@acme", "a @ b.c", "model@4.5-sonnet", "no one")


@pytest.mark.parametrize(("text", "local"), ADDRESSES)
def test_python_polars_and_duckdb_find_the_same_addresses(text: str, local: str) -> None:
    local = local.rpartition("'")[2]  # a quote ends what an address may hold
    sentence = f"key of {text}, made"
    wanted = f"key of {local}, made" if "'" not in text else f"key of o'{local}, made"
    question = rf"SELECT regexp_replace($1, {literal(ADDRESS)}, '\1', 'g')"
    with duckdb.connect() as sql:
        answer = sql.execute(question, [sentence]).fetchone()
    by_polars = pl.Series([sentence]).str.replace_all(ADDRESS, "${1}")
    assert without_domains(sentence) == wanted
    assert answer == (wanted,)
    assert by_polars.to_list() == [wanted]
    assert has_address(text)


@given(st.text(st.sampled_from("ab1@@..:' \u2003ü"), max_size=24))
def test_addresses_are_those_of_the_pattern(text: str) -> None:
    assert without_addresses(text, "#") == re.sub(ADDRESS, "#", text)
    assert without_domains(text) == re.sub(ADDRESS, r"\1", text)
    assert has_address(text) == (re.search(ADDRESS, text) is not None)


@pytest.mark.parametrize("letters", ["a", "a.", "a+", "@", "@a.", "://", "a@"])
def test_a_long_text_is_redacted_at_once(letters: str) -> None:
    begun = time.process_time()
    redacted(letters * 200_000)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_only_looks_like_an_address_is_left_alone(text: str) -> None:
    assert not has_address(text)
    assert without_addresses(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("sk-proj-abcdef123456 was refused", "sk-[redacted] was refused"),
        ("sk-ant-admin01-abcdef of ada@acme.example", "sk-[redacted] of [e-mail address]"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA[redacted]"),
        ("https://b/x?X-Amz-Signature=abc&y=1", "https://b/x?X-Amz-Signature=[redacted]&y=1"),
        ("ghp_" + "a" * 24, "ghp_[redacted]"),
        ("gho_" + "a" * 24, "gho_[redacted]"),
        ("github_pat_" + "a" * 24, "github_[redacted]"),
        ("crsr_" + "a" * 24, "crsr_[redacted]"),
        ("key_" + "0a" * 32, "key_[redacted]"),
        ("ASIAIOSFODNN7EXAMPLE", "ASIA[redacted]"),
        ("AIza" + "Sy" * 18, "AIza[redacted]"),
        ("xoxb-" + "1" * 12, "xoxb-[redacted]"),
        ("hf_" + "a" * 34, "hf_[redacted]"),
        ("gsk_" + "a" * 52, "gsk_[redacted]"),
        ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer [redacted]"),
        ("bearer sk-abcdefghijkl", "bearer [redacted]"),
        ("https://b/x?sig=abc%2B&se=1", "https://b/x?sig=[redacted]&se=1"),
        ("https://b/x?X-Goog-Signature=abc", "https://b/x?X-Goog-Signature=[redacted]"),
        ("https://b/x?X-Amz-Security-Token=a", "https://b/x?X-Amz-Security-Token=[redacted]"),
        ("http://me:pw@proxy:3128/", "http://[redacted]@proxy:3128/"),
    ],
)
def test_keys_and_signatures_of_any_vendor_are_removed(text: str, left: str) -> None:
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        *("key_Ab12Cd34Ef56Gh78", "key_place_search_01", "risk-adjusted-costs", "task-4711-abcdef"),
        *("an admin key (sk-ant-admin...)", "an admin key (sk-admin-...)", "a key (sk-...)"),
        *("the bearer of a message", "gpt-5-mini-2025-08-07", "proj_abcdef0123456789abcdef01"),
        *("https://api.openai.com/v1?limit=7", "user-ada", "design=12", "o200k_base"),
    ],
)
def test_ids_and_words_that_only_begin_like_a_key_are_left_alone(text: str) -> None:
    assert redacted(text) == text
