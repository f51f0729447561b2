"""How what rests in a home is protected, place by place, as facts."""

from collections.abc import Iterator
from pathlib import Path

from upath import UPath

from openai_costs.kernel.formatting import counted
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.settings.load import Settings, dagster_home
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.encryption import has_encrypted_header, writes_with_openssl
from openai_costs.storage.files import is_local, place
from openai_costs.storage.home import FOLDERS
from openai_costs.storage.permissions import OTHERS, open_to_others
from openai_costs.storage.protection import encrypted_by, store_encryption

NO_OPENSSL = (
    "DuckDB's built-in module draws nonces from a generator that DuckDB calls unsafe: run INSTALL "
    "httpfs in DuckDB once, as this account, and it uses OpenSSL"
)


def permission_facts(home: UPath) -> Iterator[Diagnosis]:
    """Yield whether other accounts of this machine can read what a home holds."""
    if not is_local(home):
        return
    if found := list(open_to_others(home)):
        yield Diagnosis(
            "WARN",
            "permissions",
            f"{counted(len(found), 'path')} below {home} can be read or changed by other accounts, "
            f"such as {found[0]}. "
            "Run openai-costs backfill: it closes those of this account.",
        )
    else:
        yield Diagnosis("OK", "permissions", "only this account can read the files of the home")


def protection_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield how each place is protected: rights, disk or store, and the database's own key.

    Raises:
        OSError: The object store cannot be asked.
        SettingsError: The key of the published database is not where the settings say.
    """
    home = place(settings.home)
    of_store = "" if is_local(home) else store_encryption(home)
    for name in FOLDERS:
        elsewhere = dagster_home() if name == "dagster" else ""
        folder = UPath(elsewhere) if elsewhere else home / name
        by = encrypted_by(folder) if is_local(folder) else of_store
        warns, more = _database(settings) if name == "published" else (False, "")
        if name == "report" and settings.publish.encryption_key_env:
            more = "[publish] encryption_key_env does not encrypt the page"
        texts = [_rights(folder), f"encrypted at rest: {by}" if by else _plain(folder), more]
        is_missing = settings.storage.encryption is not None and not by
        yield Diagnosis(
            "FAIL" if is_missing else "WARN" if warns else "OK",
            f"at rest: {name}",
            f"{'; '.join(filter(None, texts))} ({folder})",
        )


def _rights(folder: UPath) -> str:
    if not is_local(folder):
        return "rights as the object store has them"
    there = Path(str(folder))
    if not there.exists():
        return "not there yet"
    is_open = there.stat().st_mode & OTHERS
    return "open to other accounts" if is_open else "only this account may open it"


def _plain(folder: UPath) -> str:
    where = "disk" if is_local(folder) else "object store"
    return f"nothing says that the {where} is encrypted"


def _database(settings: Settings) -> tuple[bool, str]:
    """Return whether to warn, and how the published database is encrypted."""
    file = place(settings.home) / DATABASE
    is_there = file.exists()
    is_locked = is_there and has_encrypted_header(file)
    if publication_key(settings) is None:
        text = "the database is encrypted, and [publish] encryption_key_env is not there any more"
        return (True, text) if is_locked else (False, "the database has no key of its own")
    if is_there and not is_locked:
        return True, "the database is not encrypted yet: publish again, `openai-costs backfill`"
    if writes_with_openssl():
        return False, "the database is encrypted by DuckDB (AES-GCM, OpenSSL)"
    return True, f"the database is encrypted by DuckDB (AES-GCM). {NO_OPENSSL}"
