"""What is noted beside a connection's reads: the account they are of, and why one was refused."""

import msgspec
from upath import UPath

from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.notes import read_note
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import content_of, place, replace_file

NOTE = "account"
REFUSAL = "account_refused"
"""The note that says why the newest read of a connection was refused; gone once it is not."""


class Noted(msgspec.Struct, frozen=True):
    """The note of a connection.

    Args:
        account: The account that its stored days are of; empty where neither pages nor settings
            name one.
        is_of_pages: Whether the pages name it; otherwise the settings do.
    """

    account: str
    is_of_pages: bool = True


class Refused(msgspec.Struct, frozen=True):
    """Why a read was refused.

    Args:
        text: The sentence.
        holder: The connection that counts the account; empty where the reason is another.
        organization_id: What the settings called the account then.
    """

    text: str
    holder: str = ""
    organization_id: str | None = None


def noted(archive: Archive, provider: str, name: str) -> Noted | None:
    """Return the note of a connection; None where it has none that can be read."""
    return read_note(archive.note(provider, name, NOTE), Noted)  # the kept pages name it too


def keep_note(archive: Archive, provider: str, name: str, known: Noted) -> None:
    """Keep the note of a connection, where it says anything new."""
    if noted(archive, provider, name) != known:
        replace_file(archive.note(provider, name, NOTE), msgspec.json.encode(known))


def keep_refusal(archive: Archive, connection: Connection, text: str, holder: str = "") -> None:
    """Keep why the newest read of a connection was refused."""
    note = Refused(text, holder, connection.organization_id)
    replace_file(_refusal_of(archive, connection), msgspec.json.encode(note))


def drop_refusal(archive: Archive, connection: Connection) -> None:
    """Forget why a read was refused: a newer one was not."""
    if (note := _refusal_of(archive, connection)).exists():
        note.unlink()


def refusal(archive: Archive, settings: Settings, connection: Connection) -> str:
    """Return why the newest read of a connection was refused for its account; else empty."""
    found = refused(archive, settings, connection)
    return found.text if found else ""


def refused(archive: Archive, settings: Settings, connection: Connection) -> Refused | None:
    """Return the refusal of the newest read of a connection; None where it was not refused.

    A reason that the settings have removed since is none: the connection that counted the account
    is gone, or the connection has another `organization_id`.
    """
    if not (note := _refusal_of(archive, connection)).exists():
        return None
    found = _decoded(content_of(note))
    names = {one.name for one in settings.connections}
    is_over = found.organization_id != connection.organization_id
    return None if is_over or (found.holder and found.holder not in names) else found


def is_counted_elsewhere(archive: Archive, settings: Settings, connection: Connection) -> bool:
    """Return whether the newest read of a connection is of an account that another one counts."""
    found = refused(archive, settings, connection)
    return found is not None and bool(found.holder)


def counted_elsewhere(settings: Settings) -> dict[str, str]:
    """Return why connections of the settings are counted as others, which they name, by name."""
    archive = Archive(place(settings.home))
    known = {one.name: refused(archive, settings, one) for one in settings.connections}
    return {name: found.text for name, found in known.items() if found and found.holder}


def with_own_days(settings: Settings) -> list[Connection]:
    """Return the connections of the settings without those that are counted as others."""
    elsewhere = counted_elsewhere(settings)
    return [one for one in settings.connections if one.name not in elsewhere]


def _refusal_of(archive: Archive, connection: Connection) -> UPath:
    return archive.note(connection.provider, connection.name, REFUSAL)


def _decoded(note: bytes) -> Refused:
    """Return a refusal; version 0.1 noted the sentence alone, which the next read replaces."""
    try:
        return msgspec.json.decode(note, type=Refused)
    except UNREADABLE:
        return Refused(note.decode(errors="replace"))
