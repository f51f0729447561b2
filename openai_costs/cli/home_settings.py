"""The settings that a command works with: those of now, and of another home where one is named."""

import shlex
from typing import Annotated

import typer

from openai_costs.settings.load import Settings, load_settings
from openai_costs.storage.files import place
from openai_costs.storage.forget_key import look_beside
from openai_costs.storage.home import refuse_unusable
from openai_costs.storage.protection import ask_for_encryption, refuse_unencrypted

Home = Annotated[
    str | None, typer.Option("--home", help="The home; default: OPENAI_COSTS_HOME, or ./data.")
]


def option_of(home: object) -> str:
    """Return the option that a printed command needs to be about a home; empty for no home."""
    return f" --home {shlex.quote(str(home))}" if home else ""


def usable(home: str | None = None) -> Settings:
    """Return the settings as they are now, of a home that can be used.

    Raises:
        SettingsError: Whom the home forgets is not known: nothing is read or written then.
    """
    from openai_costs.storage.forgotten import pseudonyms_of  # noqa: PLC0415 - loads libraries

    settings = loaded(home)
    refuse_unusable(place(settings.home))
    pseudonyms_of(place(settings.home))
    return settings


def writable(home: str | None = None) -> Settings:
    """Return the same for a command that writes: a home that may hold what it holds.

    Raises:
        NotEncrypted: The settings require that it rests encrypted, and it does not.
    """
    settings = usable(home)
    refuse_unencrypted(place(settings.home), settings.storage)
    return settings


def publishing(home: str | None = None) -> Settings:
    """Return the same for a command that publishes in the end: its key is there before it begins.

    Raises:
        NotEncrypted: As above.
        SettingsError: The key of the published database is not where the settings say.
    """
    from openai_costs.settings.secrets_in_use import publication_key  # noqa: PLC0415 - as below

    settings = writable(home)
    publication_key(settings)
    return settings


def loaded(home: str | None) -> Settings:
    """Return the settings as they are now, and those of another home where one is named."""
    from openai_costs.sources.registry import connection_kinds  # noqa: PLC0415 - takes a moment

    settings = load_settings(connection_kinds(), home)
    ask_for_encryption(settings.storage)
    look_beside(settings.config_file, place(settings.home))
    return settings
