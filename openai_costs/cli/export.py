"""The commands `export ...`: files for other tools."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from openai_costs.cli.home_settings import Home, usable
from openai_costs.cli.terminal import say
from openai_costs.cli.typed_days import typed_month
from openai_costs.storage.files import place

app = typer.Typer(no_args_is_help=True, help="Write files for other tools.")


@app.callback()
def export() -> None:
    """Write files for other tools."""


class Format(StrEnum):
    """The kinds of files."""

    PARQUET = "parquet"
    CSV = "csv"


@app.command()
def focus(
    month: Annotated[
        date, typer.Option(parser=typed_month, metavar="MONTH", help="The month, as 2026-11.")
    ],
    kind: Annotated[Format, typer.Option("--format", help="The kind of file.")] = Format.PARQUET,
    out: Annotated[Path, typer.Option(help="The folder; default: here.")] = Path(),
    home: Home = None,
) -> None:
    """Write the FOCUS 1.2 rows of a month."""
    from openai_costs.cli.empty_home import refuse_empty  # noqa: PLC0415 - loads what it needs
    from openai_costs.outputs.publish.focus_export import export_month  # noqa: PLC0415
    from openai_costs.settings.secrets_in_use import publication_key  # noqa: PLC0415

    settings = usable(home)
    folder, key = place(settings.home), publication_key(settings)
    refuse_empty(folder, "days of costs")
    say(str(export_month(folder, f"{month:%Y-%m}", kind, out, key)))
