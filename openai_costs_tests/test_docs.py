"""The papers say what the code does: names, numbers, links and command lines are checked."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import fields
from decimal import Decimal
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest
import typer
from pydantic_core import PydanticUndefined

import openai_costs
from openai_costs.cli.commands import app
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.reference import document
from openai_costs.settings import Publish, Reading, Retention, Storage, Team
from openai_costs.settings.load import Environment
from openai_costs.settings.settings_file import NAME as SETTINGS_FILE
from openai_costs.sources.chatgpt_workspace.endpoints import LOG_ID, ORGANIZATION_ID
from openai_costs.sources.gateway.litellm.endpoints import ALLOWED as ALLOWED_AT_A_GATEWAY
from openai_costs.sources.github_copilot.endpoints import ORGANIZATION
from openai_costs.sources.http.api import Api
from openai_costs.sources.openai.connection import ALLOWED, REQUESTS_PER_MINUTE
from openai_costs.sources.openai.organization.endpoints import PROJECT_ID
from openai_costs.sources.openai.settings import (
    BASE_URL_VARIABLE,
    DEFAULT_BASE_URL,
    OpenAIConnection,
)
from openai_costs.sources.provider import (
    CostSource,
    OrganizationSource,
    Provider,
    RawPages,
    UsageSource,
)
from openai_costs.sources.registry import PROVIDERS
from openai_costs.storage.archive import DayRead
from openai_costs_tests.org import calm, house

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagster as dg
    from pydantic import BaseModel

PACKAGE: Final = Path(openai_costs.__file__).parent
ROOT: Final = PACKAGE.parent
PAPERS: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OPERATIONS: Final = ROOT / "docs" / "operations.md"
MONEY: Final = ROOT / "docs" / "how-we-count-money.md"
SECTIONS: Final = (OpenAIConnection, Publish, Reading, Retention, Storage, Team)
CACHES: Final = {"__pycache__"}
SHELLS: Final = ("sh", "bash", "console", "shell", "")
every_paper = pytest.mark.parametrize(
    "paper", PAPERS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def fences(path: Path) -> list[tuple[str, str]]:
    """(language, content) of every fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text(path), re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    """A paper without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text(path), flags=re.MULTILINE | re.DOTALL)


def named(path: Path) -> set[str]:
    """Every word that a paper sets as code: what it names, and does not only mention."""
    return set(re.findall(r"`([^`\n]+)`", prose(path)))


def cells(table: str) -> list[list[str]]:
    """The rows of a Markdown table, without its head."""
    lines = table.strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]


def rows_of(path: Path) -> dict[str, list[str]]:
    """Every table row of a paper, by the name in its first cell."""
    found = re.findall(r"^\| `([^`]+)` (\|.*\|)$", text(path), re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")[1:-1]] for name, rest in found}


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    with calm():
        return house(Path("nowhere")).defs().resolve_asset_graph()


# --- the first screen ---------------------------------------------------------------------------


def test_the_readme_is_short_and_begins_with_a_sentence_a_picture_and_two_commands() -> None:
    readme = ROOT / "README.md"
    assert text(readme).count("\n") <= 100
    install = (
        "python3 -m venv .venv && . .venv/bin/activate && pip install -q -c constraints.txt -e ."
    )
    assert fences(readme)[0] == ("sh", f"{install}\nopenai-costs demo\n")
    title, sentence, picture, *_ = text(readme).split("\n\n")
    assert (title, sentence.count(".")) == ("# openai_costs", 1)
    file = ROOT / re.findall(r"^!\[.+\]\((.+)\)$", picture)[0]
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.stat().st_size < 250_000


# --- tables ------------------------------------------------------------------------------------


def test_the_page_of_tables_is_what_the_generator_prints() -> None:
    with calm():
        printed = "\n".join(document()) + "\n"
    assert text(ROOT / "docs" / "tables.md") == printed, (
        "python -m openai_costs.outputs.publish.reference > ..."
    )


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "name"),
    [(section, name) for section in SECTIONS for name in section.model_fields],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_setting_is_documented_with_its_default(section: type[BaseModel], name: str) -> None:
    default = section.model_fields[name].default
    said = rows_of(OPERATIONS)[name][0].strip("`")
    written = str(default).lower() if isinstance(default, bool) else str(default)
    expected = {None: "none", PydanticUndefined: "required"}.get(default, written)
    assert said == expected


def test_no_setting_is_documented_that_does_not_exist() -> None:
    section = text(OPERATIONS).partition("### openai_costs.toml")[2].partition("\n## ")[0]
    said = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert said == set(chain.from_iterable(section.model_fields for section in SECTIONS))


def test_an_environment_variable_is_documented_with_its_default() -> None:
    said = rows_of(OPERATIONS)
    for name, field in Environment.model_fields.items():
        default = said[name.upper()][0].strip("`").removeprefix("./")
        known = SETTINGS_FILE if field.default is None else str(field.default)
        assert default == (known.removeprefix("./") or "empty")
    assert OpenAIConnection(name="any").admin_key_env in said
    assert said[BASE_URL_VARIABLE][0].strip("`") == DEFAULT_BASE_URL


def test_the_pace_without_a_setting_is_the_documented_one() -> None:
    assert f"without it {REQUESTS_PER_MINUTE}," in rows_of(OPERATIONS)["requests_per_minute"][1]


# --- Dagster -----------------------------------------------------------------------------------


def test_every_check_is_documented_and_no_other(graph: dg.AssetGraph) -> None:
    section = text(OPERATIONS).partition("## Checks")[2].partition("\n## ")[0]
    said = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert said == {key.name for key in graph.asset_check_keys}


def test_the_providers_without_lists_are_named_where_the_directory_is_described() -> None:
    found = re.search(r"^Providers without lists: ([^.]+)\.", text(OPERATIONS), re.MULTILINE)
    assert found
    without = {one.name for one in PROVIDERS if one.organization is None}
    assert set(re.findall(r"`(\w+)`", found[1])) == without


def test_every_job_schedule_and_pool_is_documented() -> None:
    with calm():
        defs = house(Path("nowhere")).defs()
    names = {one.name for one in chain(defs.jobs or (), defs.schedules or ())}
    nodes = defs.resolve_asset_graph().asset_nodes
    pools = set(chain.from_iterable(node.pools or () for node in nodes))
    assert pools
    assert names | pools <= named(OPERATIONS)


# --- commands ----------------------------------------------------------------------------------


def command_lines(path: Path) -> Iterator[list[str]]:
    """The arguments of every `openai-costs ...` that a paper shows."""
    blocks = "\n".join(content for language, content in fences(path) if language in SHELLS)
    spans = re.findall(r"`((?:\S*/)?openai-costs [^`\n]+)`", prose(path))
    for line in [*blocks.splitlines(), *spans]:
        for part in re.split(r"&&|\|\||[;|]", line):
            words = shlex.split(part, comments=True)
            names = [Path(word).name for word in words]
            if "openai-costs" in names and words[0] != "export":
                yield words[names.index("openai-costs") + 1 :]


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_command_and_option_is_documented() -> None:
    shown = text(OPERATIONS)
    for name, command in commands().items():
        assert f"openai-costs {name}" in shown
        for option in chain.from_iterable(one.opts for one in command.params):
            assert f"{option}" in shown, f"openai-costs {name} {option}"


@every_paper
def test_every_command_line_is_understood(paper: Path) -> None:
    known = commands()
    for name, *arguments in filter(None, command_lines(paper)):
        assert name in known, f"openai-costs {name}"
        known[name].make_context(name, list(arguments))


@every_paper
def test_a_command_of_dagster_that_changes_an_instance_says_which(paper: Path) -> None:
    lines = "\n".join(content for shell, content in fences(paper) if shell in SHELLS).splitlines()
    for line in lines:
        assert "dagster schedule" not in line or line.startswith("DAGSTER_HOME=$PWD/"), line


def test_command_lines_are_found() -> None:
    found = {line[0] for line in command_lines(OPERATIONS) if line}
    assert found == set(commands())


# --- links -------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors that a reader of Markdown makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in words}


@every_paper
def test_every_link_leads_somewhere(paper: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(paper).replace("\n", " ")):
        if not target.startswith(("https://", "http://")):
            file, _, anchor = target.partition("#")
            there = (paper.parent / file).resolve() if file else paper
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


def test_every_paper_that_the_code_names_is_there() -> None:
    for module in PACKAGE.rglob("*.py"):
        for file, anchor in re.findall(r"(?<![\w./])(docs/[\w/.-]*\w)(?:#([\w-]+))?", text(module)):
            found = [*ROOT.glob(f"{file}*")]
            assert found, f"{module.name}: {file}"
            assert not anchor or anchor in anchors(found[0]), f"{module.name}: {file}#{anchor}"


def test_every_file_of_ours_that_a_paper_names_is_there() -> None:
    for paper in PAPERS:
        for name in named(paper):
            if re.fullmatch(r"(openai_costs|openai_costs_tests)/[\w/]+\.\w+", name):
                assert (ROOT / name).exists(), f"{paper.name}: {name}"


def test_where_things_go_names_every_room_of_the_root_and_no_other() -> None:
    table = text(ROOT / "CONTRIBUTING.md").partition("## Where things go")[2].partition("\n## ")[0]
    said = set(re.findall(r"^\| `(\w+)[/.]", table, re.MULTILINE))
    rooms = {path.stem for path in PACKAGE.iterdir() if path.name not in {"__init__.py"} | CACHES}
    assert said == rooms
    for name in re.findall(r"`(\w+/[\w/]*(?:\.py)?)`", table):
        assert (PACKAGE / name).exists() or (ROOT / name).exists(), name


# --- promises ----------------------------------------------------------------------------------


def test_every_path_that_may_be_asked_is_listed_and_no_other() -> None:
    section = text(ROOT / "docs" / "security.md").partition("## Every call")[2]
    said = set(re.findall(r"^\| `GET (\S+)` \|", section, re.MULTILINE))
    providers = chain.from_iterable(provider.allowed for provider in PROVIDERS)
    allowed = {*chain.from_iterable(ALLOWED.values()), *providers, *ALLOWED_AT_A_GATEWAY}
    for pattern, shown in PLACEHOLDERS.items():
        allowed = {path.replace(pattern, shown) for path in allowed}
    assert said == allowed


PLACEHOLDERS: Final = {
    LOG_ID: "{log_id}",
    ORGANIZATION_ID: "{organization_id}",
    ORGANIZATION: "{organization}",
    PROJECT_ID: "{project_id}",
}
"""Parts of paths, and how a person reads them."""


PARTS: Final = (Provider, CostSource, UsageSource, OrganizationSource, RawPages, Api, DayRead)


def test_the_data_of_a_provider_is_described_in_full() -> None:
    said = named(ROOT / "docs" / "add-a-provider.md")
    assert {field.name for kind in PARTS for field in fields(kind)} <= said


def test_the_example_of_a_provider_is_the_one_that_the_tests_run() -> None:
    folder = ROOT / "openai_costs_tests" / "sources" / "acme_ai"
    code = "\n".join(text(file) for file in folder.glob("*.py"))
    paper = ROOT / "docs" / "add-a-provider.md"
    shown = [block for language, block in fences(paper) if language == "python"]
    assert len(shown) == 7
    assert [block for block in shown if block not in code] == []


def test_the_files_of_a_provider_are_those_that_the_example_has() -> None:
    folder = ROOT / "openai_costs_tests" / "sources" / "acme_ai"
    table = text(ROOT / "docs" / "add-a-provider.md").partition("## The files")[2]
    said = set(re.findall(r"^\| `(\w+\.py)` \|", table.partition("\n## ")[0], re.MULTILINE))
    tests = {"__init__.py", "wire.py"} | {file.name for file in folder.glob("test_*.py")}
    assert said == {file.name for file in folder.glob("*.py")} - tests


def test_every_dependency_has_its_reason() -> None:
    block = text(ROOT / "pyproject.toml").partition("dependencies = [")[2].partition("]\n")[0]
    said = text(ROOT / "docs" / "adr" / "0006-libraries.md")
    for name in re.findall(r'^  "([\w-]+)', block, re.MULTILINE):
        assert re.search(rf"^\|[^|]*\b{name}\b", said, re.MULTILINE), name


@every_paper
def test_a_paper_holds_no_address_and_no_secret(paper: Path) -> None:
    assert re.findall(r"[\w.+-]+@[\w-]+\.\w+", text(paper)) == []
    assert re.findall(r"\bsk-[A-Za-z0-9-]*[A-Za-z0-9_]{16,}", text(paper)) == []


def test_the_way_to_contribute_is_short() -> None:
    assert len(text(ROOT / "CONTRIBUTING.md").splitlines()) <= 60


# --- the worked example ------------------------------------------------------------------------

ASKED: Final = re.findall(
    r"^```sql\n(.*?)^```\n\n(\|.*?)\n\n", text(MONEY) + "\n", re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def example(small_demo: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(small_demo / DATABASE), read_only=True) as sql:
        yield sql


UNPACKING: Final = sorted(
    {command for paper in PAPERS for command in re.findall(r"`(tar --zstd [^`]+)`", text(paper))}
)


def test_the_commands_of_an_auditor_open_a_kept_file_of_every_kind(small_demo: Path) -> None:
    kept = sorted((small_demo / "raw").rglob("*.tar.zst"))
    kinds = {file.parents[1].relative_to(small_demo / "raw").as_posix(): file for file in kept}
    assert {"openai/sample/costs", "gateway_files/gateway/meter"} <= set(kinds)
    for command in UNPACKING:
        program, *words = command.split()
        asks_one_part = words[-1] == "ledger.json"
        for kind, file in kinds.items():
            if asks_one_part and kind != "openai/sample/costs":
                continue
            line = [program, *(str(file) if word == "FILE" else word for word in words)]
            done = subprocess.run(line, capture_output=True, check=True, timeout=60)  # noqa: S603 - a line of the docs
            assert len(done.stdout) > 10, (command, kind)
    assert len(UNPACKING) == 4


def written(value: object) -> str:
    if value is None:
        return "null"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def test_the_worked_example_is_all_here() -> None:
    assert len(ASKED) == text(MONEY).count("```sql") == 6


@pytest.mark.parametrize(("question", "answer"), ASKED, ids=range(len(ASKED)))
def test_an_answer_of_the_worked_example_is_recomputed(
    example: duckdb.DuckDBPyConnection, question: str, answer: str
) -> None:
    found = [[written(value) for value in row] for row in example.execute(question).fetchall()]
    assert sorted(cells(answer)) == sorted(found)


def test_the_parts_of_the_worked_example_add_up() -> None:
    by_project, four_ways, by_user = (cells(answer) for _, answer in ASKED[:3])
    totals = {row[-1] for row in four_ways}
    assert len(totals) == 1
    for parts in (by_project, by_user):
        assert written(sum(Decimal(row[-1]) for row in parts)) in totals


def test_the_worked_example_is_made_as_it_says() -> None:
    (shown,) = (content for language, content in fences(MONEY) if language == "python")
    assert "days=14, seed=7" in shown
    assert "datetime(2026, 11, 23, 12, tzinfo=UTC)" in shown
