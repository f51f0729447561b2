"""Which stored files are damaged, and which are foreign, for `doctor` and `verify`.

Not here: kept pages and published files (doctor_files.py, outputs/publish/verification.py), and
what is done about damage (healing.py).
"""

import re
from collections.abc import Iterator
from pathlib import Path

from upath import UPath

from openai_costs.cli.dev import STATE
from openai_costs.cli.run_history import damaged_databases
from openai_costs.kernel.formatting import listed
from openai_costs.outputs.alerts.mutes import damaged_mutes
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.files import is_local
from openai_costs.storage.home import FOLDERS
from openai_costs.storage.lake import Lake
from openai_costs.storage.table_damage import damaged_tables

MOST_FILES = 3
PAGE_END = b"</html>"
REMEDY = "`openai-costs backfill --offline` sets them aside and rebuilds them."

_DELTA = (
    r"(_delta_log/(\d{20}\.(json|checkpoint.*\.parquet)|_.*)"
    r"|_digests/[\w.-]+\.sha256|part-\d{5}-[\w-]+\.\w+\.parquet)"
)
_READ = r"[^/]+/\d{4}-\d\d-\d\d/(r\d+-)?[\dT]+\.\d+Z\.tar\.zst"
_COPY = r"([^/]+/(\d{4}-\d\d|all|no_rows)|[^/]+)\.parquet"
_OURS = re.compile(
    rf"raw/[^/]+/[^/]+/({_READ}|[^/]+\.json|.+\.msgpack)"
    rf"|lake/(([^/]+/)+{_DELTA}|format\.json|conditional-put-trial)"
    r"|record/[^/]+/\d{8}\.json"
    rf"|published/(openai_costs\.duckdb|\.publication\.json|parquet/{_COPY}|focus/.+)"
    r"|report/.+|dagster/.+"
    r"|.*/\.((\w+\.)?lock(\.holder)?|.+\.tmp|building-.+)"
)
"""What this project writes below a home, besides settings."""


def damaged_files(home: UPath) -> list[str]:
    """Return what is damaged in lake, record and history, in sentences without a full stop."""
    tables = damaged_tables(home / "lake", is_deep=True)
    found = [text for damage in tables for text in damage.why]
    found += [*Lake(home).recorded.damage(), *damaged_mutes(home)]
    if is_local(home):
        found += damaged_databases(Path(str(home)) / STATE)
    return found


def all_damage(home: UPath) -> list[str]:
    """Return what is damaged, the page as well, in sentences without a full stop."""
    return [*damaged_files(home), *damaged_page(home)]


def damaged_page(home: UPath) -> list[str]:
    """Return whether the page is damaged, in a sentence without a full stop."""
    page = home / PAGE
    is_whole = page.is_file() and page.read_bytes().rstrip().endswith(PAGE_END)
    return [f"{page} is damaged"] if page.exists() and not is_whole else []


def foreign_files(home: UPath) -> list[str]:
    """Return the files below a local home that this project did not write: they are not read."""
    if not is_local(home):
        return []
    root = Path(str(home))
    below = (file for name in FOLDERS for file in sorted((root / name).rglob("*")))
    files = (file for file in below if not file.is_dir())
    return [str(file) for file in files if not _OURS.fullmatch(file.relative_to(root).as_posix())]


def stored_facts(home: UPath) -> Iterator[Diagnosis]:
    """Yield what is damaged, and what is foreign."""
    if damaged := damaged_files(home):
        texts = listed(damaged, MOST_FILES, "file", ". ")
        yield Diagnosis("FAIL", "stored files", f"{texts}. {REMEDY}")
    if foreign := foreign_files(home):
        texts = listed(foreign, MOST_FILES, "file")
        yield Diagnosis("WARN", "foreign files", f"not read, and no part of any sum: {texts}")
