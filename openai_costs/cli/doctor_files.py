"""Facts about damaged files: kept pages, the page, published tables, and their sums.

Changes nothing. Lake, record and history: stored_damage.py.
"""

from collections.abc import Iterator

from upath import UPath

from openai_costs.cli.stored_damage import damaged_page
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import listed
from openai_costs.outputs.alerts.mutes import kept_mutes
from openai_costs.outputs.publish.database import slices_in_flight
from openai_costs.outputs.publish.tie_outs import untied_lake
from openai_costs.outputs.publish.verification import Sums, published_sums
from openai_costs.questions.coverage import newest_settled
from openai_costs.questions.spend.verification import differences, remedy, withheld_text, without
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.sources.due_days import damaged_reads
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage

MOST_FILES = 3
MOST_DIFFERENCES = 2


def kept_page_facts(settings: Settings, connection: Connection) -> Iterator[Diagnosis]:
    """Yield the newest kept pages that are damaged: their days must be read again."""
    if damaged := [*damaged_reads(Archive(place(settings.home)), connection)]:
        texts = listed([str(read.error) for read in damaged], MOST_FILES, "file", " ")
        again = remedy([], [Slice(read.connection, read.day) for read in damaged])
        yield Diagnosis("FAIL", f"{connection.name}: kept pages", f"{texts} {again}")


def mute_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield whether the file of mutes can be read."""
    try:
        kept_mutes(place(settings.home))
    except SettingsError as damaged:
        yield Diagnosis("FAIL", "mutes", str(damaged))


def page_facts(home: UPath) -> Iterator[Diagnosis]:
    """Yield whether the page is damaged; a home that has none yet is none."""
    for damaged_one in damaged_page(home):
        yield Diagnosis("WARN", "page", f"{damaged_one}. Write it again: `openai-costs report`")


def tie_out_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield what is published and cannot be read, and whether every settled day ties out.

    A home that was never published has nothing to read.
    """
    home, sums = place(settings.home), Sums()
    if (home / "published").exists():
        sums, unreadable = published_sums(home, publication_key(settings))
        if unreadable:
            texts = listed(unreadable, MOST_FILES, "file", ". ")
            yield Diagnosis(
                "FAIL", "published files", f"{texts}. Publish again: `openai-costs backfill`"
            )
    yield _tie_outs(Lake(home), sums)


def _tie_outs(lake: Lake, published: Sums) -> Diagnosis:
    """Return whether the settled days of the lake add up, and then those that are published."""
    about, in_flight = "tie-outs", slices_in_flight(lake)
    if untied := untied_lake(lake, in_flight):
        return Diagnosis("FAIL", about, withheld_text(untied))
    control = without(lake.read(SpendControl), (Slice(*key) for key in in_flight))
    if found := [one for one in differences(control, published) if not one.is_noise]:
        newest = sorted(found, key=lambda one: one.day, reverse=True)
        texts = listed([str(one) for one in newest], MOST_DIFFERENCES, "difference", " ")
        return Diagnosis("FAIL", about, f"Published totals are wrong. {texts} {remedy(found)}")
    if newest_settled(lake.read(Coverage)).is_empty():
        return Diagnosis("WARN", about, "no settled day is stored, so no sum was compared")
    return Diagnosis("OK", about, "every settled day adds up to its control total")
