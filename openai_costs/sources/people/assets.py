"""The known engineers as an asset: read whole, and used only when they may be."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import dagster as dg
from upath import UPath

from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.formatting import counted, listed
from openai_costs.orchestration.checks import Rule
from openai_costs.orchestration.table_assets import asset_key, described
from openai_costs.settings import Directory, DirectoryFile
from openai_costs.settings.load import Settings
from openai_costs.sources.people.frames import Content, Judged, Listed, doubted, judged, read_people
from openai_costs.sources.user_files import content, files, refuse_unwritable_names
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.engineers import Engineers

ENGINEERS = asset_key(Engineers)
BELIEVABLE = Rule(
    "believable", "The directory is not empty and has not shrunk by half.", is_daily=False
)
WHOLE = Rule(
    "every_row_used",
    "Every row of the directory could be used.",
    severity=dg.AssetCheckSeverity.WARN,
    is_daily=False,
)
NOT_CONFIGURED = "There is no [directory] in the settings: no one is judged."
MOST_REMARKS = 5


class Reading(NamedTuple):
    """A reading of the directory: what it lists, and whether it may be used."""

    listed: Listed
    judged: Judged


def _engineers(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read the company's directory; when it may not be used, mark the people of the last one."""
    rules, folder = settings.directory, UPath(settings.config_file.parent)
    with lake.alone(Engineers):
        reading = _read(rules, folder, lake)
        lake.replace_whole(Engineers, reading.judged.frame)
    yield dg.MaterializeResult(
        metadata={
            "dagster/row_count": reading.judged.frame.height,
            "overlaps": reading.listed.overlaps,
        },
        check_results=[_believable(reading, rules), _every_row_used(reading.listed)],
    )


engineers: dg.AssetsDefinition = dg.asset(
    **described(Engineers),
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name="sources/directory",
    kinds={"polars", "deltalake"},
    check_specs=[BELIEVABLE.spec(ENGINEERS, None), WHOLE.spec(ENGINEERS, None)],
)(_engineers)
WHOLE_ASSETS = (engineers,)


def _believable(reading: Reading, rules: Directory) -> dg.AssetCheckResult:
    doubt, overlaps = reading.judged.doubt, reading.listed.overlaps
    overlap = f" {counted(overlaps, 'row')} repeated a person, who counts once."
    return dg.AssetCheckResult(
        check_name=BELIEVABLE.name,
        asset_key=ENGINEERS,
        passed=not doubt or not rules.files,
        description=doubt or BELIEVABLE.promise + (overlap if overlaps else ""),
        metadata={"overlaps": overlaps},
    )


def _every_row_used(people: Listed) -> dg.AssetCheckResult:
    sentence = listed(people.remarks, MOST_REMARKS, "row", "; ")
    return dg.AssetCheckResult(
        check_name=WHOLE.name,
        asset_key=ENGINEERS,
        passed=not people.remarks,
        severity=WHOLE.severity,
        description=f"No one is judged by these rows. {sentence}." if sentence else WHOLE.promise,
    )


def _read(rules: Directory, folder: UPath, lake: Lake) -> Reading:
    before = lake.read(Engineers)
    nothing = Listed(before.clear())
    if not rules.files:
        return Reading(nothing, doubted(before, NOT_CONFIGURED))
    try:
        people = read_people(contents(folder, rules.files), rules)
    except FileRefused as refused:
        return Reading(nothing, doubted(before, str(refused)))
    return Reading(people, judged(people.frame, before, rules))


def contents(folder: UPath, named: Sequence[DirectoryFile]) -> list[Content]:
    """Return the files that settings name, each once, in their order.

    Args:
        folder: The folder of the settings.
        named: Files and patterns.

    Raises:
        FileRefused: There is no such file, or it cannot be read.
    """
    every = {str(found): (found, one) for one in named for found in files(folder, one.path)}
    refuse_unwritable_names(every)
    return [Content(found.name, content(found), one) for found, one in every.values()]
