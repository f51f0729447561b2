import pytest

from openai_costs.kernel.visible_text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "<U+001B>[2J<U+001B>]0;title<U+0007>"),
        ("invoice\u202egnp.exe", "invoice<U+202E>gnp.exe"),
        ("one\rtwo\x00", "one<U+000D>two<U+0000>"),
        ("a\u200bb\ufeff", "a<U+200B>b<U+FEFF>"),
        ("\U000e0041", "<U+E0041>"),
        ("\x9b31m", "<U+009B>31m"),
    ],
)
def test_what_would_change_how_a_text_is_read_is_shown_in_place(text: str, shown: str):
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "$1,234.50\n\tnext",
        "Ines",
        "\u0645\u06cc\u200c\u062e",
        "\U0001f469\u200d\U0001f4bb",
        "\u05e2\u05d1",
        "a\u0301",
        "",
    ],
)
def test_what_people_write_is_left_alone(text: str):
    assert visible(text) == text
