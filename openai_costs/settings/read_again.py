"""Settings for what lives longer than they hold: the process in which Dagster's sensors run."""

from collections.abc import Callable

from openai_costs.settings.connection import Kinds
from openai_costs.settings.load import Settings, settings_from

Current = Callable[[], Settings]
"""Returns the settings as they are now, which are those of a run that starts now."""


def read_again(settings: Settings, kinds: Kinds) -> Settings:
    """Return settings as their file has them now; the same ones where there is no file.

    Raises:
        SettingsError: The file cannot be read or says something we cannot use.
    """
    path = settings.config_file
    return settings_from(path, kinds, settings.home) if path.exists() else settings
