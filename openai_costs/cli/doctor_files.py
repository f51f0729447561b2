"""Facts about damaged files: kept pages, the page, published tables, and their sums.

Changes nothing. Lake, record and history: stored_damage.py.
"""

import shutil
from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl
from upath import UPath

from openai_costs.cli.stored_damage import damaged_page
from openai_costs.cli.verify import refused_text
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import counted, listed
from openai_costs.kernel.money import FLOAT_NOISE
from openai_costs.outputs.alerts.mutes import kept_mutes
from openai_costs.outputs.publish.behind import Behind, behind, unmade_text, unpublished_text
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.tie_outs import untied_lake
from openai_costs.outputs.publish.verification import Sums, page_differences, published_sums
from openai_costs.questions.spend.control_totals import SLICE
from openai_costs.questions.spend.verification import Difference, differences, remedy, withheld_text
from openai_costs.questions.to_derive import days_to_derive
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.sources.due_days import damaged_reads, unmade_slices
from openai_costs.sources.provider import Diagnosis, silent
from openai_costs.sources.refused_days import days_without_tables, refusal_text
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import is_local, place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Slice, slices_frame
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings

MOST_FILES = 3
MOST_DIFFERENCES = 2


def refused_page_facts(settings: Settings, connection: Connection) -> Iterator[Diagnosis]:
    """Yield why kept pages of days that had not settled, or are in no table, cannot be used."""
    home = place(settings.home)
    if text := refusal_text(Lake(home), Archive(home), connection):
        yield Diagnosis("FAIL", f"{connection.name}: pages", text)


def kept_page_facts(settings: Settings, connection: Connection) -> Iterator[Diagnosis]:
    """Yield the newest kept pages that are damaged or gone: their days must be read again."""
    home, about = place(settings.home), f"{connection.name}: kept pages"
    if damaged := [*damaged_reads(Archive(home), connection)]:
        texts = listed([str(read.error) for read in damaged], MOST_FILES, "file", " ")
        again = remedy([], [Slice(read.connection, read.day) for read in damaged])
        yield Diagnosis("FAIL", about, f"{texts} {again}")
    if gone := _days_without_page(home, connection):
        text = f"none is kept of {counted(len(gone), 'settled day')}, so nothing proves the sums"
        again = remedy([], [Slice(connection.name, day) for day in sorted(gone)])
        yield Diagnosis("FAIL", about, f"{text}. {again}")


def _days_without_page(home: UPath, connection: Connection) -> set[date]:
    """Return the settled days with dollars of which no page of costs is kept."""
    pages, name = provider_of(connection).costs.pages, connection.name
    kept = Archive(home).newest_at(pages.provider, name, pages.dataset)
    has_dollars = pl.col("is_settled") & (pl.col("billed_usd") != 0)
    days = Lake(home).read(SpendControl).filter(has_dollars, connection=name)["day"]
    return set(days) - kept.keys()


def space_facts(home: UPath) -> Iterator[Diagnosis]:
    """Yield whether a publication has room: it copies the database before it changes it."""
    database = home / DATABASE
    if not is_local(home) or not database.is_file():
        return
    needed, free = database.stat().st_size, shutil.disk_usage(str(database.parent)).free
    if free < needed:
        text = f"{megabytes(free)} are free below {home}, and a publication copies the database"
        yield Diagnosis("FAIL", "home", f"{text} of {megabytes(needed)}. Free some space there")


def megabytes(size: int) -> str:
    """Return a number of bytes for a person, rounded up."""
    return f"{-(-size // 1_000_000):,} MB"


def mute_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield whether the file of mutes can be read."""
    try:
        kept_mutes(place(settings.home))
    except SettingsError as damaged:
        yield Diagnosis("FAIL", "mutes", str(damaged))


def judged_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield whether findings were judged at all, and whether they wait for days to be derived."""
    lake = Lake(place(settings.home))
    if lake.has(Coverage) and not lake.has(Findings):
        text = "the days that are stored were never judged. Run `openai-costs backfill`"
        yield Diagnosis("WARN", "findings", text)
    elif waiting := days_to_derive(lake, settings):
        days = listed([*map(str, waiting)], MOST_FILES, "range")
        text = f"they wait for {days}, which have other names, teams or gateway settings than now"
        yield Diagnosis("WARN", "findings", f"{text}. Run `openai-costs backfill`")


def page_facts(home: UPath) -> Iterator[Diagnosis]:
    """Yield whether the page is damaged; a home that has none yet is none."""
    for damaged_one in damaged_page(home):
        yield Diagnosis("FAIL", "page", f"{damaged_one}. Write it again: `openai-costs report`")


def unmade_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield the settled days that are kept and in no table."""
    if unmade := [*days_without_tables(settings, Lake(place(settings.home)))]:
        text = f"{unmade_text(unmade)} {remedy([], unmade=unmade)}"
        yield Diagnosis("FAIL", "kept pages", text)


def tie_out_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield what is published and cannot be read, and whether every settled day ties out."""
    home, sums, about = place(settings.home), Sums(), "published files"
    lake = Lake(home)
    late, control = behind(home, lake), lake.read(SpendControl)
    late = late.with_torn(unmade_slices(settings, control))
    if (home / "published").exists():
        sums, unreadable = published_sums(home, publication_key(settings))
        if unreadable:
            texts = listed(unreadable, MOST_FILES, "file", ". ")
            yield Diagnosis("FAIL", about, f"{texts}. Publish again: `openai-costs backfill`")
        elif late.unpublished:
            yield Diagnosis("WARN", about, unpublished_text(late.unpublished))
    elif control["is_settled"].any():
        yield Diagnosis("FAIL", about, unpublished_text(late.unpublished))
    if control["is_settled"].any():
        torn = control.join(slices_frame(late.torn), on=SLICE, how="semi")
        of_pages, refused = page_differences(settings, torn, silent)
        yield from _refused(refused)
        yield from _tie_outs(lake, [*of_pages, *differences(control, sums)], late)
    else:
        yield Diagnosis("WARN", "tie-outs", "no settled day is stored, so no sum was compared")


def _refused(refused: Mapping[Slice, str]) -> Iterator[Diagnosis]:
    """Yield the settled days whose newest page was kept, and cannot be used."""
    if refused:
        texts = [refused_text(key, why) for key, why in sorted(refused.items(), reverse=True)]
        text = listed(texts, MOST_DIFFERENCES, "day", " ")
        yield Diagnosis("FAIL", "kept pages", f"{text} {remedy([], refused)}")


def _tie_outs(lake: Lake, differing: list[Difference], late: Behind) -> Iterator[Diagnosis]:
    """Yield whether the settled days of the lake add up, and then those that are published."""
    about, untied = "tie-outs", untied_lake(lake, [])
    published = [one for one in differing if not one.is_noise]
    explained = [one for one in (*untied, *published) if late.explains(one)]
    for text in late.texts(explained):
        yield Diagnosis("FAIL", about, f"{text} {remedy(explained, torn=late.torn)}")
    if whole := [one for one in untied if not late.explains(one)]:
        yield Diagnosis("FAIL", about, withheld_text(whole))
    elif found := [one for one in published if not late.explains(one)]:
        newest = sorted(found, key=lambda one: one.day, reverse=True)
        texts = listed([str(one) for one in newest], MOST_DIFFERENCES, "difference", " ")
        yield Diagnosis("FAIL", about, f"Published totals are wrong. {texts} {remedy(found)}")
    elif explained:
        return
    elif days := {one.day for one in differing}:
        noise = f"off from the control total by float noise, less than ${FLOAT_NOISE:f}"
        text = f"{counted(len(days), 'settled day')}: {noise}. `verify` lists them, and ends with 1"
        yield Diagnosis("WARN", about, text)
    else:
        yield Diagnosis("OK", about, "every settled day adds up to its control total")
