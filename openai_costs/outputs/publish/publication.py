"""The tables of a home as they were published last, for whoever shows them: page, API, digest.

The lake is read where it holds exactly that, and the published database where a run has written
more since, or was killed: what is shown is of one state, and readers of the database have the same
(docs/adr/0002). Not here: how the database is read (published_tables.py).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.publication_state import is_as_published, last_state
from openai_costs.outputs.publish.published_tables import PublishedTables, Readable
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.sources.account_notes import counted_elsewhere
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.moving import on_this_machine
from openai_costs.storage.sql import connected, raise_if_of_system
from openai_costs.tables.mart.coverage import Coverage


class NothingToShow(OpenAICostsError):  # noqa: N818 - the name is the sentence's subject
    """The lake is not as it was published, and what was published is not there or is damaged.

    Args:
        home: The home.
        why: What is wrong with the published database.
    """

    def __init__(self, home: UPath, why: str) -> None:
        super().__init__(
            f"Nothing can be shown of {home} as it was published, and what is there already stays "
            f"as it is: a run is under way or did not end well, and {DATABASE} {why}. "
            "`openai-costs backfill` completes the days and publishes them."
        )


@dataclass(frozen=True)
class Publication:
    """The last publication of a home.

    Args:
        home: The home.
        lake: Its lake.
        key: Looks up what opens an encrypted database; only asked where that has to be read.
        counted_elsewhere: Returns why connections are counted as others, by name.
    """

    home: UPath
    lake: Lake
    key: Callable[[], SecretStr | None] = lambda: None
    counted_elsewhere: Callable[[], Mapping[str, str]] = dict

    @contextmanager
    def tables(self) -> Iterator[Readable]:
        """Give the tables as they were published last; those of a home without any are empty.

        Raises:
            NothingToShow: They cannot be had.
            DatabaseLocked: They are encrypted, and this is not the key.
            SettingsError: The key is not where the settings say.
        """
        with self.lake.frozen():
            if is_as_published(self.lake, last_state(self.home)) or self._is_empty():
                yield self.lake
                return
        with self._database() as tables:
            yield tables

    def _is_empty(self) -> bool:
        return not (self.home / DATABASE).exists() and not self.lake.has(Coverage)

    @contextmanager
    def _database(self) -> Iterator[PublishedTables]:
        if not (self.home / DATABASE).exists():
            raise NothingToShow(self.home, "is not there yet")
        with TemporaryDirectory() as scratch:
            file = on_this_machine(self.home / DATABASE, Path(scratch))
            try:
                with connected(file, read_only=True, key=self.key()) as sql:
                    yield PublishedTables(sql, last_state(self.home))
            except duckdb.Error as damage:
                raise_if_of_system(damage)
                why = f"cannot be read: {str(damage).splitlines()[0]}"
                raise NothingToShow(self.home, why) from damage


def publication_of(settings: Settings) -> Publication:
    """Return the last publication of the home of settings."""
    home = place(settings.home)
    key, elsewhere = partial(publication_key, settings), partial(counted_elsewhere, settings)
    return Publication(home, Lake(home), key, elsewhere)
