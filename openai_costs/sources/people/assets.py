"""The known engineers as an asset: read whole, and believed only when they may be."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from upath import UPath

from openai_costs.kernel.errors import FileRefused
from openai_costs.orchestration.checks import Rule
from openai_costs.orchestration.table_assets import asset_key, described
from openai_costs.settings import Directory
from openai_costs.settings.load import Settings
from openai_costs.sources.people.frames import Judged, doubted, judged, read_people
from openai_costs.sources.user_files import all_files
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.engineers import Engineers

ENGINEERS = asset_key(Engineers)
BELIEVABLE = Rule(
    "believable", "The directory is not empty and has not shrunk by half.", is_daily=False
)
NOT_CONFIGURED = "There is no [directory] in the settings: nobody is judged."


def _engineers(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read the company's directory; when it cannot be believed, mark the people of the last one."""
    rules, folder = settings.directory, UPath(settings.config_file.parent)
    with lake.alone(Engineers):
        found = _read(rules, folder, lake)
        lake.replace_whole(Engineers, found.frame)
    passed = not found.doubt or not rules.files
    verdict = dg.AssetCheckResult(
        check_name=BELIEVABLE.name,
        asset_key=ENGINEERS,
        passed=passed,
        description=found.doubt or BELIEVABLE.promise,
    )
    yield dg.MaterializeResult(
        metadata={"dagster/row_count": found.frame.height}, check_results=[verdict]
    )


engineers: dg.AssetsDefinition = dg.asset(
    **described(Engineers),
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name="sources/directory",
    kinds={"polars", "parquet"},
    check_specs=[BELIEVABLE.spec(ENGINEERS, None)],
)(_engineers)
WHOLE_ASSETS = (engineers,)


def _read(rules: Directory, folder: UPath, lake: Lake) -> Judged:
    before = lake.read(Engineers)
    if not rules.files:
        return doubted(before, NOT_CONFIGURED)
    try:
        every = all_files(folder, rules.files)
        frame = read_people([(file.name, file.read_bytes()) for file in every], rules)
    except FileRefused as refused:
        return doubted(before, str(refused))
    return judged(frame, before, rules)
