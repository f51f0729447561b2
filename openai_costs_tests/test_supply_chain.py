"""What is installed, what leaves the machine beside the product, and what a wheel holds."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from openai_costs.cli import dev
from openai_costs.orchestration.event_log import unrecorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: Final = PROJECT["optional-dependencies"]
MACHINES: Final = (("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"))


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pins)
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in pins}


def wanted(python: str, machine: tuple[str, str, str], roots: Iterable[str]) -> set[str]:
    """The names of all that an installation brings, as far as it is installed here."""
    platform, system, os_name = machine
    here = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": os_name,
    }
    seen: set[tuple[str, str]] = set()
    todo = [Requirement(one) for one in roots]
    while todo:
        one = todo.pop()
        for extra in {"", *one.extras}:
            if (key := (canonicalize_name(one.name), extra)) not in seen:
                seen.add(key)
                todo.extend(brought_by(one.name, {**here, "extra": extra}))
    return {name for name, _ in seen}


def brought_by(name: str, environment: Mapping[str, str]) -> Iterator[Requirement]:
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:  # of another machine or Python
        return
    for one in map(Requirement, lines):
        if one.marker is None or one.marker.evaluate(dict(environment)):
            yield one


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_all_that_any_extra_brings_is_pinned_for_every_python(python: str) -> None:
    roots = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
    for machine in MACHINES:
        assert wanted(python, machine, roots) - set(pinned()) == set()


def imported() -> set[str]:
    """The packages whose modules the product imports, also those that it imports late."""
    parsed = [ast.parse(one.read_text("utf-8")) for one in (ROOT / "openai_costs").rglob("*.py")]
    nodes = [node for module in parsed for node in ast.walk(module)]
    named = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    named += [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
    roots = {one.partition(".")[0] for one in named} - sys.stdlib_module_names - {"openai_costs"}
    packages = packages_distributions()
    return {canonicalize_name(package) for root in roots for package in packages[root]}


def test_what_the_product_imports_is_declared_and_not_only_brought_by_something_else() -> None:
    optional = [one for name, extra in EXTRAS.items() if name != "dev" for one in extra]
    declared = [Requirement(one) for one in (*PROJECT["dependencies"], *optional)]
    assert imported() - {canonicalize_name(one.name) for one in declared} == set()


def test_dagster_is_declared_from_the_first_release_that_loads_the_definitions() -> None:
    declared = [*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)]
    least = {one for one in declared if one.startswith("dagster")}
    assert least == {
        "dagster>=1.13.24,<1.14",
        "dagster-webserver>=1.13.24,<1.14",
        *(f"dagster-{one}>=0.29.24,<0.30" for one in ("celery", "duckdb", "postgres")),
    }


def test_the_version_is_one_wherever_it_is_written() -> None:
    changed = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    chart = yaml.safe_load((ROOT / "deploy" / "helm-values.yaml").read_text("utf-8"))
    assert changed[0] == chart["dagsterWebserver"]["image"]["tag"] == PROJECT["version"]


def test_the_pythons_that_are_pinned_for_are_those_that_are_allowed() -> None:
    assert PROJECT["requires-python"] == ">=3.11,<3.14"


def test_every_extra_is_part_of_what_developers_install() -> None:
    mine = {one for name, extra in EXTRAS.items() if name != "dev" for one in extra}
    assert mine <= set(EXTRAS["dev"])


def test_the_licence_of_every_pinned_package_is_listed_and_of_no_other() -> None:
    page = (ROOT / "docs" / "supply-chain.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w.-]+)` \| ([^|]+) \|", page, re.MULTILINE)
    assert {canonicalize_name(name) for name, _ in rows} == set(pinned())
    assert all(licence.strip() for _, licence in rows)


def test_dagsters_telemetry_is_off_in_every_instance_that_we_write() -> None:
    files = [(ROOT / "dagster.yaml").read_text("utf-8"), Path(dev.__file__).read_text("utf-8")]
    for text in files:
        assert "telemetry:\n  enabled: false\n" in text
    assert yaml.safe_load(files[0])["telemetry"] == {"enabled": False}


def test_a_headless_run_sends_no_telemetry() -> None:
    with unrecorded() as instance:
        assert not instance.telemetry_enabled


@pytest.mark.skipif(not find_spec("hatchling"), reason="no hatchling: pip install -e '.[dev]'")
def test_the_wheel_holds_the_package_with_all_that_it_reads_and_nothing_else(
    tmp_path: Path,
) -> None:
    make = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    made = subprocess.run(  # noqa: S603 - our own build
        [sys.executable, "-c", make, str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    with zipfile.ZipFile(tmp_path / made.stdout.split()[-1]) as wheel:
        names = {one for one in wheel.namelist() if ".dist-info/" not in one}
    package = ROOT / "openai_costs"
    files = (one for one in package.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
    assert names == {one.relative_to(ROOT).as_posix() for one in files}
    assert len(names) > 100
