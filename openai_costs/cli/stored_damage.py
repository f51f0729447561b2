"""Which stored files are damaged, and which are foreign, for `doctor` and `verify`.

Not here: kept pages and published files (doctor_files.py, outputs/publish/verification.py), and
what is done about damage (healing.py).
"""

from collections.abc import Iterator
from pathlib import Path

from upath import UPath

from openai_costs.cli.dev import STATE
from openai_costs.cli.run_history import damaged_databases
from openai_costs.kernel.formatting import listed
from openai_costs.outputs.alerts.mutes import damaged_mutes
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.files import content_of, is_local
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import foreign_files, misplaced
from openai_costs.storage.renamed import unfinished_renaming
from openai_costs.storage.table_damage import damaged_tables

MOST_FILES = 3
PAGE_END = b"</html>"
REMEDY = "`openai-costs backfill --offline` sets them aside and rebuilds them."


def damaged_files(home: UPath) -> list[str]:
    """Return what is damaged in lake, record and history, in sentences without a full stop.

    First what stands in the place of something else: all the rest may be damaged by it.
    """
    found = [text for _, text in misplaced(home)]
    tables = damaged_tables(home / "lake", is_deep=True)
    found += [text for damage in tables for text in damage.why]
    found += [*Lake(home).recorded.damage(), *damaged_mutes(home)]
    if is_local(home):
        found += damaged_databases(Path(str(home)) / STATE)
    return found


def all_damage(home: UPath) -> list[str]:
    """Return what is damaged, the page as well, in sentences without a full stop."""
    return [*damaged_files(home), *damaged_page(home)]


def damaged_page(home: UPath) -> list[str]:
    """Return whether the page is damaged, in a sentence without a full stop; no folder is one."""
    page = home / PAGE
    is_whole = page.is_file() and content_of(page).rstrip().endswith(PAGE_END)
    return [] if is_whole or not page.exists() or page.is_dir() else [f"{page} is damaged"]


def stored_facts(home: UPath) -> Iterator[Diagnosis]:
    """Yield what is damaged, what is foreign, and which renaming did not end."""
    if one := unfinished_renaming(home):
        text = f"{one.old} is called {one.new} now, and not yet in all that is kept"
        why = (
            "a run is at it, or did not end well. Any run goes on, such as `openai-costs backfill`"
        )
        yield Diagnosis("WARN", "renaming", f"{text}: {why}.")
    if damaged := damaged_files(home):
        texts = listed(damaged, MOST_FILES, "file", ". ")
        yield Diagnosis("FAIL", "stored files", f"{texts}. {REMEDY}")
    if foreign := foreign_files(home):
        texts = listed(foreign, MOST_FILES, "file")
        yield Diagnosis("WARN", "foreign files", f"not read, and no part of any sum: {texts}")
