"""A home that is ready to read the sample API: its settings, the exported bills, and the keys.

Not here: serving the API (api/serving.py), the home of the demo (setup.py).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from openai_costs.kernel.errors import SettingsError
from openai_costs.sample import toml_text
from openai_costs.sample.accounts import (
    ACCOUNTS,
    EVERY_PROVIDER,
    connection_tables,
    export_files,
)
from openai_costs.sample.company.organisation import Organisation
from openai_costs.settings.settings_file import NAME as CONFIG

HEAD = "# Written by `openai-costs sample-api --home`: accounts of a company that does not exist.\n"


def settings_text(organisation: Organisation, url: str, *, with_files: bool) -> str:
    """Return settings with a connection for each account of the company.

    Args:
        organisation: The company.
        url: Where the sample API listens.
        with_files: Whether bills that come as files are connected too.
    """
    every = connection_tables(organisation, EVERY_PROVIDER, url)
    shown = (one for one in every if with_files or "files" not in one)
    return "\n".join(toml_text.tables("[[connections]]", shown))


def keys() -> Iterator[tuple[str, str]]:
    """Yield the variable and the key of each account that has one."""
    yield from ((one.variable, one.key) for one in ACCOUNTS if one.variable)


def refuse_other_settings(home: Path) -> None:
    """Refuse a home whose settings were not written here.

    Raises:
        SettingsError: Names the file.
    """
    config = home / CONFIG
    if config.exists() and not config.read_text(encoding="utf-8").startswith(HEAD):
        why = f"{config} was not written by `openai-costs sample-api` and stays as it is"
        raise SettingsError(f"{why}. Choose another folder with --home.")


def write(home: Path, organisation: Organisation, url: str, now: datetime) -> None:
    """Write the settings and the exported bills as they are now."""
    text = HEAD + settings_text(organisation, url, with_files=True)
    bills: Mapping[str, bytes] = export_files(organisation, EVERY_PROVIDER, now)
    for name, content in {**bills, CONFIG: text.encode()}.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
