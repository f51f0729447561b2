"""FOCUS exports as a provider: their raw pages, and what the rest of the project asks of them."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import polars as pl

from openai_costs.settings.connection import Connection
from openai_costs.sources.exports import frames
from openai_costs.sources.exports.checks import left_out_checks
from openai_costs.sources.exports.clouds import AWS, AZURE, GOOGLE
from openai_costs.sources.exports.diagnosis import diagnose
from openai_costs.sources.exports.focus import FOCUS
from openai_costs.sources.exports.kept_reads import DATASET
from openai_costs.sources.exports.notes import first_day, owed_days
from openai_costs.sources.exports.reader import ExportReader
from openai_costs.sources.exports.settings import currency_of
from openai_costs.sources.exports.settled import AT_THE_LATEST
from openai_costs.sources.exports.sheets import Rules
from openai_costs.sources.focus_file.columns import (
    IS_AI,
    IS_AI_CATEGORY,
    other_kinds,
    refuse_meter,
)
from openai_costs.sources.focus_file.settings import FocusConnection
from openai_costs.sources.focus_file.words import WORDS
from openai_costs.sources.provider import CostSource, Provider, RawPages, Reads
from openai_costs.storage.slices import Batch

NAME = "focus_file"


def rules(connection: Connection) -> Rules:
    """Return what a connection makes of a file."""
    is_all = isinstance(connection, FocusConnection) and connection.select == "all"
    taken = pl.lit(value=True) if is_all else IS_AI
    currency = currency_of(connection)
    return Rules((FOCUS,), taken, IS_AI_CATEGORY, currency, other_kinds, refuse_meter)


def ledger(reads: Reads, connection: Connection) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return frames.ledger_batches(reads, connection, rules(connection), WORDS)


def control(reads: Reads, connection: Connection, grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control for kept reads."""
    return frames.control_batches(reads, connection, grace, rules(connection))


PAGES = RawPages(
    provider=NAME,
    dataset=DATASET,
    description="Rows of FOCUS exports as written. A part for each file.",
    group="sources/focus_file",
    reader=partial(ExportReader, rules=rules),
    first_day=first_day,
)

FOCUS_FILE = Provider(
    name=NAME,
    connection=FocusConnection,
    allowed=(),
    costs=CostSource(
        pages=PAGES,
        ledger=ledger,
        control=control,
        owned_ids=frames.billing_accounts,
        owed=owed_days,
    ),
    diagnose=partial(diagnose, rules),
    checks=(left_out_checks(PAGES),),
    settles_within=AT_THE_LATEST,
    invoicers=(AWS, AZURE, GOOGLE),
)
