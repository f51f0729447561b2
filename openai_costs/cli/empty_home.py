"""Refuses a home without data: "no data" is never "nothing found"."""

from pathlib import Path

from upath import UPath

from openai_costs.cli.home_settings import option_of
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.storage.files import is_local
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings

DEMO = "demo"
"""The folder that `openai-costs demo` fills by default."""


NEEDED = {"findings": Findings, "days of costs": Coverage, "settled days": SpendControl}
"""What a command may need, in the plural, and the table that has it."""


class NothingStored(OpenAICostsError):  # noqa: N818 - the name is the sentence's subject
    """A command needs data, and its home holds none yet: that is not the same as "nothing found".

    Args:
        home: The home of the command.
        what: What there is none of: `findings`.
        days: The days that the command is about; empty for all of them.
    """

    def __init__(self, home: UPath, what: str, days: str = "") -> None:
        data = f"data of {days}" if days else "data"
        super().__init__(
            f"There are no {what} in {home} yet, because no {data} has been read into it. "
            f"{what_fills(home)}"
        )


class NothingMade(OpenAICostsError):  # noqa: N818 - as above
    """A command needs tables of all days, and no run has made them of the days that were read.

    Args:
        home: The home of the command.
        what: What there is none of: `findings`.
    """

    def __init__(self, home: UPath, what: str) -> None:
        super().__init__(
            f"There are no {what} in {home} yet: days have been read into it, but no run has made "
            "them of all days. `openai-costs backfill --offline` makes them from the "
            "kept pages, and so does the job `publish` in Dagster."
        )


def refuse_empty(home: UPath, what: str) -> None:
    """Refuse a home that does not have what a command needs.

    Args:
        home: The home of the command.
        what: One of `NEEDED`.

    Raises:
        NothingMade: The home has no such table, and days that it can be made of.
        NothingStored: It has neither.
    """
    lake = Lake(home)
    if not lake.has(NEEDED[what]):
        raise (NothingMade if lake.has(SpendControl) else NothingStored)(home, what)


def refuse_unread(home: UPath, what: str) -> None:
    """Refuse a home into which nothing was ever read, whatever tables it could have.

    Args:
        home: The home of the command.
        what: What there is none of, in the plural: `people`.

    Raises:
        NothingStored: It has neither kept pages nor tables.
    """
    if not any((home / name).exists() for name in ("raw", "lake")):
        raise NothingStored(home, what)


def what_fills(home: UPath) -> str:
    """Return what to do about a home without data: a demo near it is named, and never as another.

    One that is a demo itself was stopped before its first day.
    """
    from openai_costs.sample.setup import is_demo  # noqa: PLC0415 - most commands need no demo

    near = [Path(str(home)), Path(str(home)).parent / DEMO] if is_local(home) else []
    demo = next((folder for folder in (*near, Path(DEMO)) if is_demo(folder)), None)
    if near and demo == near[0]:
        return f"The demo in it was stopped: `openai-costs demo{option_of(demo)}` makes it again."
    here = f"A demo is in {demo}: add{option_of(demo)}. " if demo else ""
    return f"{here}`openai-costs backfill` reads your own data."
