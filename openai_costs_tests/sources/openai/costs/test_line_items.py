import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.sources.openai.costs.line_items import LineItem, parse, parsed_columns


def tokens(model: str, usage: str | None, **more: object) -> LineItem:
    said = {"service_tier": "standard", "is_long_context": False} | more
    return LineItem(**({"surface": "api"} | said), model=model, usage_type=usage)  # type: ignore[arg-type]


def tool(usage: str, surface: str = "api") -> LineItem:
    return LineItem(surface, usage_type=usage)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("gpt-4.1-2025-04-14, input", tokens("gpt-4.1-2025-04-14", "input")),
        ("gpt-4.1-2025-04-14, output", tokens("gpt-4.1-2025-04-14", "output")),
        ("gpt-4.1-2025-04-14, cached input", tokens("gpt-4.1-2025-04-14", "cached_input")),
        ("gpt-5.6-sol, cache writes", tokens("gpt-5.6-sol", "cache_write")),
        (
            "priority | gpt-5.6-sol, output, long context",
            tokens("gpt-5.6-sol", "output", service_tier="priority", is_long_context=True),
        ),
        (
            "gpt-5.6-sol, input, long context",
            tokens("gpt-5.6-sol", "input", is_long_context=True),
        ),
        (
            "gpt-audio-mini-2025-12-15 audio, input",
            tokens("gpt-audio-mini-2025-12-15", "input", modality="audio"),
        ),
        (
            "gpt-image-2.5-flare image, output",
            tokens("gpt-image-2.5-flare", "output", modality="image"),
        ),
        (
            "gpt-image-2.5-flare text, cached input",
            tokens("gpt-image-2.5-flare", "cached_input", modality="text"),
        ),
        ("gpt-image-2.5-sunburst", tokens("gpt-image-2.5-sunburst", None)),
        (
            "evals | gpt-4o-mini-2024-07-18, input",
            tokens("gpt-4o-mini-2024-07-18", "input", surface="evals"),
        ),
        (
            "priority | evals | gpt-4o, output",
            tokens("gpt-4o", "output", surface="evals", service_tier="priority"),
        ),
        ("batch | gpt-4o, input", tokens("gpt-4o", "input", service_tier="batch")),
        ("gpt-4o, input, flex", tokens("gpt-4o", "input", service_tier="flex")),
        ("ft-gpt-4o-2024-08-06, output", tokens("ft-gpt-4o-2024-08-06", "output")),
        ("ft:gpt-4o:acme::x1, training", tokens("ft-gpt-4o", "training")),
        ("gpt-6-astra, input_tokens", tokens("gpt-6-astra", "input")),
        ("gpt-6-astra, output_tokens", tokens("gpt-6-astra", "output")),
        ("gpt-6-astra, input_cached_tokens", tokens("gpt-6-astra", "cached_input")),
        ("gpt-5-search-api-2025-10-14, input", tokens("gpt-5-search-api-2025-10-14", "input")),
        ("GPT-4o mini, Input", tokens("gpt-4o-mini", "input")),
        ("o3-mini, output", tokens("o3-mini", "output")),
        ("text-embedding-3-large, input", tokens("text-embedding-3-large", "input")),
        ("whisper-1", tokens("whisper-1", None)),
        ("tts-1-hd, characters", tokens("tts-1-hd", "characters")),
        ("newcomer-9, output", tokens("newcomer-9", "output")),
        ("input_tokens", LineItem("api", usage_type="input")),
        ("web search tool calls", tool("web_search")),
        ("Web Search Tool Calls", tool("web_search")),
        ("Vector storage", tool("vector_storage")),
        ("assistants api | file search", tool("file_search", "assistants api")),
        ("Assistants API", tool("assistants")),
        ("code interpreter sessions", tool("code_interpreter")),
        ("container usage, 4gb", tool("container")),
        ("Scale tier bundle", tool("scale_tier")),
    ],
)
def test_a_label_of_a_form_met_before_is_parsed(label: str, said: LineItem):
    assert parse(label) == said


@pytest.mark.parametrize(
    "label",
    [
        None,
        "",
        "  ",
        ",",
        "|",
        "a | b | c",
        "Text tokens",
        "Completions",
        "chat_completions",
        "Data residency uplift",
        "gpt-4o, reasoning sparkle",
        "evals | Completions",
        "…",
        "日本",
    ],
)
def test_a_label_that_is_not_understood_says_nothing_at_all(label: str | None):
    assert parse(label) == LineItem()


@pytest.mark.parametrize("label", ["gpt-4o , input", "gpt-4o,input", " gpt-4o,  INPUT "])
def test_blanks_and_capitals_do_not_matter(label: str):
    assert parse(label) == tokens("gpt-4o", "input")


@given(st.text())
@settings(max_examples=40, deadline=None)
def test_no_text_at_all_breaks_the_parser(label: str):
    parse(label)


@given(st.text("gpt-4o, |inputcahedlongtxbsrvm12_", max_size=40))
def test_a_label_that_is_understood_has_a_model_or_a_usage(label: str):
    said = parse(label)
    assert said == LineItem() or said.model or said.usage_type


def test_each_label_is_one_row_and_null_is_a_label_too():
    labels = pl.Series(["whisper-1", None, "whisper-1", "strange"], dtype=pl.String)
    found = parsed_columns(labels)
    assert found["line_item"].to_list() == [None, "strange", "whisper-1"]
    assert found["model"].to_list() == [None, None, "whisper-1"]
    assert found["is_long_context"].to_list() == [None, None, False]


def test_no_labels_are_no_rows_with_every_column():
    assert parsed_columns(pl.Series([], dtype=pl.String)).schema == {
        "line_item": pl.String,
        "surface": pl.String,
        "model": pl.String,
        "usage_type": pl.String,
        "service_tier": pl.String,
        "modality": pl.String,
        "is_long_context": pl.Boolean,
    }
