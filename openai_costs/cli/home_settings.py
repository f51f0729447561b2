"""The settings that a command works with: those of now, and of another home where one is named."""

from typing import Annotated

import typer

from openai_costs.settings.load import Settings, load_settings
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unusable

Home = Annotated[
    str | None, typer.Option("--home", help="The home; default: OPENAI_COSTS_HOME, or ./data.")
]


def usable(home: str | None = None) -> Settings:
    """Return the settings as they are now, of a home that can be used."""
    settings = loaded(home)
    refuse_unusable(place(settings.home))
    return settings


def loaded(home: str | None) -> Settings:
    """Return the settings as they are now, and those of another home where one is named."""
    from openai_costs.sources.registry import connection_kinds  # noqa: PLC0415 - takes a moment

    return load_settings(connection_kinds(), home)
