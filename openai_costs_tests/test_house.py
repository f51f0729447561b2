"""The house's own rules, kept by a test and not by habit."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache, partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest
from importlinter.cli import lint_imports

import openai_costs
from openai_costs.sources.registry import PROVIDERS, invoicers
from openai_costs.tables.contract import all_contracts
from openai_costs_tests.graph import lines, resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE: Final = Path(openai_costs.__file__).parent
ROOT: Final = PACKAGE.parent
MODULES: Final = sorted(PACKAGE.rglob("*.py"))
MOST_LINES: Final = 250
MOST_CHARACTERS: Final = 50
MOST_ENTRIES: Final = 11
MOST_FLOORS: Final = 9
MOST_ARROWS: Final = 50
CLOCK: Final = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
}
ENVIRONMENT: Final = {("os", "environ"), ("os", "getenv"), ("os", "putenv")}
SURROUNDINGS: Final = {"dagster", "httpx", "duckdb", "os", "time", "upath", "tempfile", "requests"}
DISK: Final = {"openai_costs.storage.lake.Lake", "openai_costs.storage.archive.Archive"}
QUESTIONS: Final = {
    "spend",
    "usage",
    "prices",
    "anomalies",
    "budgets",
    "gateway_bypass",
    "reconciliation",
    "seats",
    "optimization",
}
COUNTING: Final = (
    *("spend", "usage", "optimization"),
    *("reconciliation", "gateway_bypass", "seats"),
)
# What a question may build on: the foundations below it (import-linter keeps their order).
FOUNDATIONS: Final = {one: {"prices", "spend", "usage"} for one in QUESTIONS} | {
    "prices": {"spend", "usage"},
    "spend": set(),
    "usage": set(),
}
# Groups whose folder got a better name later; people have bookmarks and selections of a group.
OLDER_GROUP_NAMES: Final = {
    "sources/directory": "sources/people",
    "sources/openai/directory": "sources/openai/organization",
}
SAYS_NOTHING: Final = {"utils", "helpers", "common", "core", "lib", "base", "manager"}
PAPERS: Final = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "constraints.txt",
    "workspace.yaml",
    "dagster.yaml",
    ".ci/run",
    "docs/tables.md",
    "docs/how-we-count-money.md",
    "docs/operations.md",
    "docs/security.md",
    "docs/add-a-provider.md",
    "docs/scale-out.md",
    "deploy/Dockerfile",
    "deploy/compose.yaml",
    "deploy/dagster.yaml",
    "deploy/helm-values.yaml",
    "deploy/prove_two_hosts.sh",
    "deploy/seed_pools.py",
    "deploy/workspace.yaml",
)


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def offenders(offends: Callable[[Path], object]) -> set[str]:
    """The modules of which something is true."""
    return {named(path) for path in MODULES if offends(path)}


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(text(path))


def dotted(path: Path) -> set[tuple[str, str]]:
    """Every `name.attribute` that a module writes."""
    return {
        (node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id, node.attr)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute))
    }


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return resolved()


def test_definitions_load_with_an_empty_environment_in_an_empty_folder_and_write_nothing(
    tmp_path: Path,
) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from openai_costs.definitions import defs\n"
        "print(len(list(defs.resolve_asset_graph().get_all_asset_keys())))"
    )
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-B", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert int(done.stdout) > 10
    assert list(tmp_path.iterdir()) == []


def test_the_asset_graph_is_the_one_that_was_drawn(graph: dg.AssetGraph) -> None:
    drawn = (Path(__file__).parent / "graph.txt").read_text(encoding="utf-8").splitlines()
    again = "python -m openai_costs_tests.graph > openai_costs_tests/graph.txt"
    assert list(lines(graph)) == [line for line in drawn if not line.startswith("#")], again


def test_a_range_of_days_runs_whatever_is_selected(graph: dg.AssetGraph) -> None:
    """Dagster's command line takes a range only if every selected asset may have it in one run."""
    one_run = dg.BackfillPolicy.single_run()
    keys = graph.materializable_asset_keys
    assert [key for key in keys if graph.get(key).backfill_policy != one_run] == []


def test_every_group_is_a_folder(graph: dg.AssetGraph) -> None:
    """A group is named by its folder: below questions/ or outputs/, or in full."""
    groups = {graph.get(key).group_name or "" for key in graph.get_all_asset_keys()}
    rooms = (PACKAGE, PACKAGE / "questions", PACKAGE / "outputs")
    folders = {group: OLDER_GROUP_NAMES.get(group, group) for group in groups}
    assert [
        group
        for group, folder in folders.items()
        if sum((room / folder / "assets.py").is_file() for room in rooms) != 1
    ] == []


def test_every_asset_has_an_owner_a_kind_and_a_description(graph: dg.AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.owners, key
        assert node.kinds, key
        assert node.description, key


def test_the_first_sentence_of_every_description_is_short(graph: dg.AssetGraph) -> None:
    long = {
        key.to_user_string(): sentence
        for key in graph.get_all_asset_keys()
        if len(sentence := (graph.get(key).description or "").split(".")[0]) >= MOST_CHARACTERS
    }
    assert long == {}


def test_every_table_and_view_shows_its_columns(graph: dg.AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        if key.path[0] in {"core", "mart", "bi"}:
            schema = graph.get(key).metadata["dagster/column_schema"]
            shown = schema.value if isinstance(schema, dg.TableSchemaMetadataValue) else schema
            assert shown.columns, key
            assert all(column.description for column in shown.columns), key


def test_every_contract_is_an_asset_and_every_core_or_mart_asset_a_contract(
    graph: dg.AssetGraph,
) -> None:
    tables = {key for key in graph.get_all_asset_keys() if key.path[0] in {"core", "mart"}}
    assert tables == {dg.AssetKey(table.full_name().split(".")) for table in all_contracts()}


def test_imports_go_in_the_house_direction() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


def test_only_days_reads_a_clock() -> None:
    assert offenders(lambda path: dotted(path) & CLOCK) == {"kernel/days.py"}


def test_only_settings_reads_the_environment() -> None:
    # `dev` hands its environment on to the processes that it starts.
    assert offenders(lambda path: dotted(path) & ENVIRONMENT) <= {"settings/load.py", "cli/dev.py"}


def test_only_one_module_quotes_texts_for_sql() -> None:
    assert offenders(lambda path: """replace("'", "''")""" in text(path)) == {"kernel/sql_text.py"}


def test_the_name_of_a_published_file_is_written_once() -> None:
    found = [
        node.value
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant)
        and re.fullmatch(r"(published|report)/[\w./-]+", str(node.value))
    ]
    assert {"published/focus", "published/.publication.json"} <= {*found}
    assert sorted(found) == sorted({*found})


def test_a_pure_module_knows_no_dagster_http_disk_or_environment() -> None:
    pure = [path for path in MODULES if "Pure" in (ast.get_docstring(parsed(path)) or "")]
    assert len(pure) > 5
    for path in pure:
        names = set(imported(path))
        roots = {name.partition(".")[0] for name in names}
        assert (roots & SURROUNDINGS, names & DISK) == (set(), set()), named(path)


def test_a_question_never_imports_another_questions_code() -> None:
    for path in MODULES:
        own = (*path.relative_to(PACKAGE).parts, "")[1]
        asked = "openai_costs.questions."
        ours = [name.split(".")[2] for name in imported(path) if name.startswith(asked)]
        others = QUESTIONS - FOUNDATIONS[own] - {own} if own in QUESTIONS else set()
        assert set(ours) & others == set(), named(path)


def test_the_root_has_few_entries_and_floors_and_no_circle() -> None:
    arrows = set(between_entries())
    above = {one: {below for top, below in arrows if top == one} for pair in arrows for one in pair}
    assert len(above) == MOST_ENTRIES
    assert len(list(TopologicalSorter(above).static_order())) == MOST_ENTRIES  # or CycleError
    assert max(map(partial(floor_of, above), above)) <= MOST_FLOORS
    assert len(arrows) <= MOST_ARROWS


def test_no_module_needs_itself_by_way_of_others_also_not_in_an_import_that_is_late() -> None:
    parts = {one: one.relative_to(ROOT).with_suffix("").parts for one in MODULES}
    modules = {".".join(its).removesuffix(".__init__"): one for one, its in parts.items()}
    needed = {name: {*imported(path)} & modules.keys() - {name} for name, path in modules.items()}
    TopologicalSorter(needed).prepare()  # or CycleError


def floor_of(above: dict[str, set[str]], entry: str) -> int:
    """A room stands above all that it imports."""
    return 1 + max((floor_of(above, one) for one in above[entry]), default=0)


def between_entries() -> Iterator[tuple[str, str]]:
    """Each import between two entries of the root, upper one first."""
    for path in MODULES:
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imported(path):
            package, _, rest = name.partition(".")
            if package == PACKAGE.name and rest and rest.split(".")[0] != own:
                yield own, rest.split(".")[0]


def test_rooms_outside_sources_know_no_vendor() -> None:
    """Names of providers, and of who invoices, are read from the registry."""
    vendors = {one.name for one in PROVIDERS} | invoicers().keys()
    vendors |= {one.name for one in invoicers().values()}
    rooms = ("outputs/", "cli/", "orchestration/", "storage/", "settings/", "kernel/")
    knowing = offenders(lambda path: vendors & constants(path))
    assert {name for name in knowing if name.startswith(rooms)} == set()


def constants(path: Path) -> set[str]:
    return {
        node.value
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_money_is_never_a_float_where_it_is_counted() -> None:
    counting = (
        *("kernel/money.py", "storage/lake.py", "tables/", "sources/openai/", "sources/gateway/"),
        *(f"questions/{name}/" for name in COUNTING),
        *(f"questions/prices/{name}.py" for name in ("catalogue", "price_check", "quantities")),
    )
    found = offenders(lambda path: list(floats(path)))
    assert {name for name in found if name.startswith(counting)} == set()


def floats(path: Path) -> Iterator[ast.AST]:
    for node in ast.walk(parsed(path)):
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_builtin = isinstance(node, ast.Name) and node.id == "float"
        is_type = isinstance(node, ast.Attribute) and node.attr in {"Float32", "Float64"}
        if is_literal or is_builtin or is_type:
            yield node


def test_no_module_is_longer_than_a_person_reads() -> None:
    assert offenders(lambda path: len(text(path).splitlines()) > MOST_LINES) == set()


def test_every_module_says_what_it_is_for() -> None:
    assert offenders(lambda path: not ast.get_docstring(parsed(path))) == set()


def test_no_module_has_a_name_that_says_nothing() -> None:
    named_so = offenders(lambda path: {path.stem, path.parent.name} & SAYS_NOTHING)
    assert {name for name in named_so if not name.startswith("tables/core/")} == set()


def test_only_publish_and_the_lake_know_duckdb() -> None:
    # The lake asks its own files; `doctor` tells the version. Only publish/ writes a database.
    who = {named(path) for path in MODULES if "duckdb" in set(imported(path))}
    assert {name for name in who if not name.startswith("outputs/publish/")} <= {
        "storage/lake.py",
        "storage/encryption.py",
        "storage/sql.py",
        "cli/doctor.py",
    }


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_are_there(name: str) -> None:
    assert (ROOT / name).is_file()


def test_decisions_are_written_down() -> None:
    assert len(list((ROOT / "docs/adr").glob("[0-9][0-9][0-9][0-9]-*.md"))) >= 4


def test_the_readme_fits_a_newcomer() -> None:
    assert len(text(ROOT / "README.md").splitlines()) <= 100
