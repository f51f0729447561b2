"""DuckDB files under DuckDB's own encryption, AES-256 in GCM: recognised, made and opened.

The key is bound to the statement, so no SQL text, log or error has it. Not here: where the key is
(settings/secrets_in_use.py).
"""

from pathlib import Path

import duckdb
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.sql_text import literal

OPENSSL = "httpfs"
"""The extension of DuckDB that brings OpenSSL: with it, nonces are cryptographically random."""

HEADER_BYTES = 24
_MARK, _MARK_AT, _FLAGS_AT = b"DUCK", 8, 20
_FORMAT = "STORAGE_VERSION 'v1.4.0', debug_encryption_version 'v0'"
"""What DuckDB 1.4.0 and later can open; the header of 1.5 and later is unreadable to 1.4."""


class DatabaseLocked(OpenAICostsError):  # noqa: N818 - the name is the sentence's subject
    """An encrypted file cannot be opened.

    Args:
        file: Which one.
        why: What is wrong with the key.
    """

    def __init__(self, file: str, why: str) -> None:
        self.short = f"{file} is encrypted, and {why}"
        super().__init__(
            f"{self.short}. Export the key it was published with, and name its "
            "variable in [publish] encryption_key_env; or publish again, with `openai-costs "
            "backfill`, which rebuilds it."
        )


def is_encrypted(file: Path) -> bool:
    """Return whether there is a file, and it is an encrypted DuckDB database."""
    return file.is_file() and has_encrypted_header(file)


def has_encrypted_header(file: Path | UPath) -> bool:
    """Return whether a file is an encrypted DuckDB database, by its header, which never is."""
    with file.open("rb") as content:
        header = content.read(HEADER_BYTES)
    marked = header[_MARK_AT : _MARK_AT + len(_MARK)] == _MARK
    return marked and len(header) == HEADER_BYTES and bool(header[_FLAGS_AT] & 1)


def attach(sql: duckdb.DuckDBPyConnection, file: Path, name: str, key: SecretStr | None) -> None:
    """Attach a database for reading, with the key where it is encrypted.

    Raises:
        DatabaseLocked: It is encrypted, and there is no key, or another one.
        duckdb.Error: It is damaged.
    """
    if not is_encrypted(file):
        sql.execute(f"ATTACH {literal(file)} AS {name} (READ_ONLY)")
        return
    if key is None:
        raise DatabaseLocked(file.name, "the settings name no key")
    try:
        secret = [key.get_secret_value()]
        sql.execute(f"ATTACH {literal(file)} AS {name} (READ_ONLY, ENCRYPTION_KEY ?)", secret)
    except duckdb.Error as refused:
        if "encryption key" not in str(refused):
            raise
        raise DatabaseLocked(file.name, "the key in the settings is another one") from None


def attach_for_writing(
    sql: duckdb.DuckDBPyConnection, file: Path, name: str, key: SecretStr
) -> None:
    """Attach an encrypted database that is written, made where it is not there, and use it."""
    if not has_openssl(sql):
        sql.execute("SET force_mbedtls_unsafe = true")  # docs/security.md#the-published-database
    sql.execute("SET temp_file_encryption = true")
    secret = [key.get_secret_value()]
    sql.execute(f"ATTACH {literal(file)} AS {name} (ENCRYPTION_KEY ?, {_FORMAT})", secret)
    sql.execute(f"USE {name}")


def has_openssl(sql: duckdb.DuckDBPyConnection) -> bool:
    """Return whether DuckDB writes with OpenSSL: loads the extension if installed, fetches none."""
    sql.execute("SET autoinstall_known_extensions = false")
    try:
        sql.execute(f"LOAD {OPENSSL}")
    except duckdb.Error:
        return False
    return True


def writes_with_openssl() -> bool:
    """Return the same of DuckDB as it is installed here."""
    with duckdb.connect() as sql:
        return has_openssl(sql)
