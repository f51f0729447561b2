"""Facts about damaged files: kept pages of costs, published tables, the page. Changes nothing.

Lake, record and history: stored_damage.py.
"""

from collections.abc import Iterator

from openai_costs.cli.stored_damage import damaged_page
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import listed
from openai_costs.outputs.alerts.mutes import kept_mutes
from openai_costs.outputs.publish.verification import unreadable_files
from openai_costs.questions.spend.verification import remedy
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.sources.provider import Diagnosis
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive, DamagedRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Slice
from openai_costs.tables.mart.spend import Spend

MOST_FILES = 3


def kept_page_facts(settings: Settings, connection: Connection) -> Iterator[Diagnosis]:
    """Yield the newest kept pages of costs that are damaged: their days must be read again."""
    home = place(settings.home)
    days = sorted(Lake(home).days(Spend, connection.name))
    newest = provider_of(connection).costs.pages.newest(Archive(home), connection, days)
    damaged = [read for read in newest if isinstance(read, DamagedRead)]
    if damaged:
        texts = listed([str(read.error) for read in damaged], MOST_FILES, "file", " ")
        again = remedy([], [Slice(read.connection, read.day) for read in damaged])
        yield Diagnosis("FAIL", f"{connection.name}: kept pages", f"{texts} {again}")


def mute_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield whether the file of mutes can be read."""
    try:
        kept_mutes(place(settings.home))
    except SettingsError as damaged:
        yield Diagnosis("FAIL", "mutes", str(damaged))


def published_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield which published files cannot be read; a home that was never published has none."""
    home = place(settings.home)
    for damaged_one in damaged_page(home):
        yield Diagnosis("WARN", "page", f"{damaged_one}. Write it again: `openai-costs report`")
    if (home / "published").exists() and (
        damaged := unreadable_files(home, publication_key(settings))
    ):
        texts = listed(damaged, MOST_FILES, "file", ". ")
        yield Diagnosis(
            "FAIL", "published files", f"{texts}. Publish again: `openai-costs backfill`"
        )
