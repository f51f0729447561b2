"""The English of docs, messages and names: the words that docs/glossary.md lists as not used."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

import openai_costs

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = Path(openai_costs.__file__).parent
ROOT: Final = PACKAGE.parent
GLOSSARY: Final = ROOT / "docs" / "glossary.md"
HEADING: Final = "## Not used here"
DOCS: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MODULES: Final = sorted(PACKAGE.rglob("*.py"))
TESTS: Final = sorted(Path(__file__).parent.rglob("test_*.py"))
PUBLISHED: Final = frozenset({"is_told", "told_usd", "said"})
"""Columns of published tables, which keep their names."""
PAGES: Final = sorted(file for kind in ("html", "js", "css") for file in PACKAGE.rglob(f"*.{kind}"))

PARAMETER: Final = re.compile(r"^ +\w+: ", re.MULTILINE)
"""A parameter that a docstring describes; its name is no prose."""

STILL_OLD_WORDS: Final = ("openai_costs/questions/anomalies/kinds/awake_at_the_weekend.py",)
"""Files named by a rule that was published before its word was replaced."""


NO_ARTICLE: Final = re.compile(
    r"\b(?:(?!there)[a-z]+|[^a-z\s]) (?:is|was) no (?!longer|one|more|such|sign|reason|difference)"
    r"[a-z]+",
    re.IGNORECASE,
)
""""is no day": a translated negation. "There is no day" is English."""


class Word(NamedTuple):
    """A word that is not used here, and where: in texts, in names, or as a whole name."""

    text: str
    instead: str
    where: frozenset[str]

    def in_text(self, text: str) -> bool:
        """Whether a sentence contains the word, however its lines are broken."""
        if self.text.split()[0].lower() not in text.lower():
            return False
        pattern = r"\s+".join(map(re.escape, self.text.split()))
        return re.search(rf"(?<![\w-]){pattern}(?![\w-])", text, re.IGNORECASE) is not None

    def in_name(self, name: str) -> bool:
        """Whether the name of a module, class or function contains the word."""
        parts = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)
        words = [part.lower() for part in parts]
        return self.text in words if "names" in self.where else [self.text] == words


@cache
def not_used(where: str) -> tuple[Word, ...]:
    """The words of the glossary that are not used in texts, names or whole names."""
    section = GLOSSARY.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+) \| (.+) \| (.+) \|$", section, re.MULTILINE)
    words = [
        Word(text, instead, frozenset(places.split(", ")))
        for texts, instead, places in rows
        for text in re.findall(r"`([^`]+)`", texts)
    ]
    return tuple(word for word in words if where in word.where)


def is_checked(path: Path) -> bool:
    return not path.relative_to(ROOT).as_posix().startswith(STILL_OLD_WORDS)


def checked(paths: list[Path]) -> list[Path]:
    return [path for path in paths if is_checked(path)]


def without_code(text: str) -> str:
    """A text without what it quotes as code: columns and files keep their published names."""
    return re.sub(r"```.*?```|``[^`]+``|`[^`\n]+`", "`...`", text, flags=re.DOTALL)


def doc_texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, paragraph) of a Markdown page; the list of words itself is left out."""
    text = path.read_text(encoding="utf-8")
    if path == GLOSSARY:
        text = text.partition(HEADING)[0]
    line = 1
    for paragraph in re.split(r"(\n\s*\n)", re.sub(r"(?ms)^```.*?^```", blanked, text)):
        yield line, without_code(paragraph)
        line += paragraph.count("\n")


def blanked(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def code_texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every docstring and message of a module; a key or a column is no sentence."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, without_code(PARAMETER.sub("", node.value))


def names(path: Path) -> Iterator[tuple[int, str]]:
    """(line, name) of a module, its constants, classes, attributes, functions and arguments."""
    yield 1, path.stem
    for node in ast.walk(parsed(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        if isinstance(node, (ast.Module, ast.ClassDef)):
            yield from assigned(node)


def assigned(node: ast.Module | ast.ClassDef) -> Iterator[tuple[int, str]]:
    """(line, name) of what a module or class assigns; a column keeps its published name."""
    for line in node.body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                yield line.lineno, target.id


def sentences_of(path: Path) -> Iterator[tuple[int, str]]:
    """(line, sentence) of each test: its name is one."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def objections(path: Path, texts: Iterator[tuple[int, str]]) -> Iterator[str]:
    """A line for each word that a text should not contain."""
    for line, text in texts:
        for word in not_used("text"):
            if word.in_text(text):
                yield f"{path.relative_to(ROOT)}:{line}: {word.text!r}, not {word.instead}"


def test_the_glossary_lists_words_that_are_not_used() -> None:
    assert len(not_used("text")) > 20
    assert len(not_used("names")) > 10
    assert not_used("whole names")


def test_every_folder_that_still_has_old_words_is_there() -> None:
    assert [name for name in STILL_OLD_WORDS if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", checked(DOCS), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_of_the_docs_is_in_plain_english(path: Path) -> None:
    assert [*objections(path, doc_texts(path))] == []


def test_docstrings_and_messages_are_in_plain_english() -> None:
    wrong = [one for path in checked(MODULES) for one in objections(path, code_texts(path))]
    assert wrong == [], "\n".join(wrong)


def test_the_published_page_is_in_plain_english() -> None:
    wrong = [
        one
        for path in checked(PAGES)
        for one in objections(path, iter([(1, path.read_text(encoding="utf-8"))]))
    ]
    assert wrong == []


def test_modules_and_what_they_define_have_the_names_of_the_field() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}, not {word.instead}"
        for path in checked(MODULES)
        for line, name in names(path)
        if name not in PUBLISHED
        for word in (*not_used("names"), *not_used("whole names"))
        if word.in_name(name)
    ]
    assert wrong == [], "\n".join(wrong)


def test_the_names_of_tests_are_in_plain_english() -> None:
    wrong = [one for path in TESTS for one in objections(path, sentences_of(path))]
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("SAID_OF_KEYS = 1", "SAID_OF_KEYS"),
        ("class A:\n    told_name: str", "told_name"),
        ("def f(found): pass", "found"),
        ("f = lambda *, said: said", "said"),
    ],
)
def test_constants_attributes_and_arguments_have_names_that_are_checked(
    tmp_path: Path, code: str, name: str
) -> None:
    (tmp_path / "module.py").write_text(code, encoding="utf-8")
    assert name in [one for _, one in names(tmp_path / "module.py")]


def test_what_something_is_not_has_an_article() -> None:
    """ "is not a day", as a native writer says, and not "is no day"."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {hit[0]}"
        for path in checked(MODULES)
        for line, text in code_texts(path)
        for hit in NO_ARTICLE.finditer(text)
    ]
    assert wrong == [], "\n".join(wrong)


def test_a_word_is_found_across_lines_and_not_within_another() -> None:
    word = Word("four times in five", "80 % range", frozenset({"text"}))
    assert word.in_text("It is four times\n    in five above.")
    assert not Word("told", "reported", frozenset({"text"})).in_text("an untold number")
    assert Word("told", "reported", frozenset({"names"})).in_name("_is_told")
    assert not Word("found", "candidates", frozenset({"whole names"})).in_name("not_found")
