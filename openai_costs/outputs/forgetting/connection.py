"""Deletes a connection: its pages, its rows, what is recorded of it, and Dagster's history.

Only one that left the settings: another would be read again by the next run. The tables about all
connections are made anew, and all is published anew. Killed half way and called again, it goes on.
Pages that it read and that another connection continues are the other's: pages never change.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import msgspec
import polars as pl
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import counted, listed
from openai_costs.kernel.sql_text import literal
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.orchestration.history import forget_everything
from openai_costs.outputs.forgetting.byte_scan import Scan, scan
from openai_costs.outputs.forgetting.kept_elsewhere import Elsewhere, kept_elsewhere
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.settings.section import NAME
from openai_costs.storage.commits import path_of
from openai_costs.storage.deletion import folders
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.files import SET_ASIDE, is_local, place, remove_folder
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import FOCUS, PUBLICATION_STATE
from openai_costs.storage.locks import no_writers
from openai_costs.storage.purging import is_whole, purge_lake, remove_empty_folders
from openai_costs.storage.rewriting import rewrite_table
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.upstreams import BILLED_BY, EITHER, without_bill_of

MOST_NAMES = 8
MOST_PLACES = 5
Say = Callable[[str], None]


@dataclass(frozen=True)
class Departure:
    """A connection to delete, in a home.

    Args:
        home: The home.
        name: The connection.
        before: Where it is now, apart from the pages that another continues.
        elsewhere: Its pages that are kept as another's.
        key: What opens an encrypted publication.
    """

    home: UPath
    name: str
    before: Scan
    elsewhere: Elsewhere
    key: SecretStr | None = None

    def plan(self) -> Iterator[str]:
        """Yield what would be done."""
        yield f"{self.name} is in {counted(len(self.before.places), 'place')} below {self.home}."
        yield (
            "Nothing was changed. With --yes, its pages, its rows in every table, its findings and "
            "the history of Dagster's runs are deleted, and everything is published again. Its "
            "dollars are no longer part of any total. Findings about all connections stay as they "
            "were reported, and may name its keys and its dollars. This cannot be undone."
        )
        yield from self._continued()

    def carry_out(self, make_anew: Callable[[], None], say: Say) -> bool:
        """Delete the connection; return whether nothing is left.

        Args:
            make_anew: Makes the tables about all connections, and publishes.
            say: Takes a line for a person.

        Raises:
            LockHeld: Another process writes, and does not end.
            StorageFailed: A table cannot be read or written; the next command goes on.
        """
        with no_writers(self.home):
            self._delete(Lake(self.home).uncounted())
        make_anew()
        with no_writers(self.home):
            purge_lake(Lake(self.home))  # what was made anew replaced rows of it
            forget_everything(self.home)
        left, _ = _places(self.home, self.name, self.key)
        say(
            f"Searched every byte of {counted(sum(left.searched.values()), 'file')}: "
            f"{counted(len(self.before.places), 'place')} of {self.name} before, "
            f"{counted(len(left.rest), 'place')} left."
        )
        if left.rest:
            say(f"Left: {listed(left.rest, MOST_PLACES)}. Run the command again.")
        for line in self._continued():
            say(line)
        if not is_local(self.home):
            say(
                "A bucket that keeps versions still has the old ones, which this command cannot "
                "delete: let a lifecycle rule expire noncurrent versions."
            )
        return not left.rest

    def _continued(self) -> Iterator[str]:
        """Yield which pages that it read stay."""
        for other, pages in self.elsewhere.continued.items():
            read = f"{self.name} read {counted(len(pages), 'page')}"
            yield f"{read} of days that {other} continues: they are those of {other}, and stay."

    def _delete(self, lake: Lake) -> None:
        (self.home / PUBLICATION_STATE).unlink(missing_ok=True)
        for folder in (self.home / FOCUS, self.home / SET_ASIDE):
            remove_folder(folder)
        for provider in folders(self.home / "raw"):
            remove_folder(provider / self.name)
        for page in self.elsewhere.refused:
            (self.home / page).unlink(missing_ok=True)
        remove_empty_folders(self.home / "raw")
        self._delete_recorded(lake)
        lake.remove_slices(f"connection = {literal(self.name)}")
        for table in all_contracts():
            if is_whole(lake, table):
                rows = lake.read(table)
                others = rows.filter(pl.col("connection") != self.name)
                if others.height < rows.height:
                    lake.replace_whole(table, others)
        if lake.has(Spend):
            change = partial(without_bill, name=self.name)
            rewrite_table(DeltaTables(lake.root), path_of(Spend), change)
        forget_everything(self.home)
        purge_lake(lake)

    def _delete_recorded(self, lake: Lake) -> None:
        """Remove what the record has of the connection, and of its findings."""
        findings = set(lake.read(Findings).filter(connection=self.name)["finding_id"])

        def others(line: bytes) -> bytes | None:
            try:
                row = msgspec.json.decode(line)
            except UNREADABLE:
                return line
            row = row.get("removed", row)
            is_gone = row.get("connection") == self.name or findings & {
                row.get("finding_id"),
                row.get("finding"),
            }
            return None if is_gone else line

        lake.recorded.rewrite(others)


def without_bill(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return rows of core.spend of which none says any more that a connection has its bill."""
    known = rows["tags"].drop_nulls().unique().to_list()
    without = [without_bill_of(tags, name) for tags in known]
    return rows.with_columns(pl.col("tags").replace(known, pl.Series(without, dtype=pl.String)))


def departure(settings: Settings, name: str) -> Departure:
    """Return the deletion of a connection.

    Raises:
        SettingsError: The settings still have it, nothing is kept of it, or what is kept is of days
            that another connection continues.
    """
    home, key = place(settings.home), publication_key(settings)
    if name in {one.name for one in settings.connections}:
        raise SettingsError(
            f"{name} is a connection of {settings.config_file}, so that the next backfill would "
            "read it again. Nothing was changed. Remove it from the settings first."
        )
    before, elsewhere = Scan({}, []), Elsewhere()
    if re.fullmatch(NAME, name):
        before, elsewhere = _places(home, name, key)
    if elsewhere.continued and not (before.places and _is_stored(home, name)):
        others = listed([*elsewhere.continued], MOST_NAMES)
        raise SettingsError(
            f"The days of {name} are continued as {others}, and counted once. Nothing was changed. "
            f"To delete them, forget {others}."
        )
    if not before.places:
        known = sorted({one.name for folder in folders(home / "raw") for one in folders(folder)})
        names = listed(known, MOST_NAMES) or "no connection"
        raise SettingsError(f"Nothing is kept of {name!r} in {home}. There is: {names}.")
    return Departure(home, name, before, elsewhere, key)


def _is_stored(home: UPath, name: str) -> bool:
    """Return whether a connection has pages of its own, or its deletion was killed half way."""
    has_pages = any((one / name).is_dir() for one in folders(home / "raw"))
    return has_pages or not (home / PUBLICATION_STATE).exists()


def _places(home: UPath, name: str, key: SecretStr | None) -> tuple[Scan, Elsewhere]:
    """Return where a connection is: in paths, in JSON, as a row of a table and in its tags.

    Each form is of a connection alone, and long: its name may have one letter, or be a provider's.
    """
    forms = [
        f"connection={name}/",
        f'"connection":"{name}"',
        f'"connection": "{name}"',
        f"'connection': {name},",
    ]
    either = re.escape(EITHER)
    bill = rf'"{BILLED_BY}":"(?:[\w-]+{either})*{re.escape(name)}["{either}]'
    found = scan(home, forms, key, [bill, rf"raw/[\w-]+/{re.escape(name)}/"])
    elsewhere = kept_elsewhere(home, name, found.places)
    return found._replace(places=elsewhere.without_continued(found.places)), elsewhere
