"""How what rests in a home is protected, as facts."""

from collections.abc import Iterator

from upath import UPath

from openai_costs.kernel.formatting import counted
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.encryption import has_encrypted_header, writes_with_openssl
from openai_costs.storage.files import is_local, place
from openai_costs.storage.permissions import open_to_others

PAGE_IS_PLAIN = "The page report/index.html is not encrypted"
NO_OPENSSL = (
    "DuckDB's built-in module draws nonces from a generator that DuckDB calls unsafe: run INSTALL "
    "httpfs in DuckDB once, as this account, and it uses OpenSSL."
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


def publication_facts(settings: Settings) -> Iterator[Diagnosis]:
    """Yield how the published database is encrypted.

    Raises:
        SettingsError: Its key is not where the settings say that it is.
    """
    about, file = "published database", place(settings.home) / DATABASE
    locked = file.exists() and has_encrypted_header(file)
    if publication_key(settings) is None:
        if locked:
            text = "encrypted, but the settings name no key: [publish] encryption_key_env"
            yield Diagnosis("WARN", about, f"{text}. The next publication is not encrypted")
        return
    if file.exists() and not locked:
        text = "not encrypted yet. Publish again: `openai-costs backfill`"
        yield Diagnosis("WARN", about, text)
    elif writes_with_openssl():
        yield Diagnosis("OK", about, f"encrypted by DuckDB (AES-GCM, OpenSSL). {PAGE_IS_PLAIN}")
    else:
        yield Diagnosis(
            "WARN", about, f"encrypted by DuckDB (AES-GCM). {NO_OPENSSL} {PAGE_IS_PLAIN}"
        )
