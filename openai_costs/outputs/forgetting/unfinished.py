"""What a command knew of a person until it is finished, so that one after a kill knows it too.

All that names the person is masked by random bytes of the same length. The masked half is in the
record, the mask beside the key of the home: neither says anything alone, and without the mask,
which goes when nothing of the person is left, the other half is noise.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from upath import UPath

from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.outputs.forgetting.people import Person
from openai_costs.settings.load import Settings
from openai_costs.storage.files import place, replace_file
from openai_costs.storage.forget_key import key_file
from openai_costs.storage.record import Entry, Record, Row

TABLE = "unfinished_forgettings"
_KEY_OF = ("person",)
_NAMES = ("ids", "names", "emails", "connections", "shared", "maybe")


@dataclass(frozen=True)
class Unfinished:
    """A forgetting that may not be finished.

    Args:
        settings: Of which home.
        whose: What all texts of the person have in common (kernel/pseudonyms.py); None of no one.
    """

    settings: Settings
    whose: str | None

    @property
    def mask_file(self) -> Path:
        """Where the mask is: beside the key, and never below the home."""
        key = key_file(self.settings.config_file, place(self.settings.home))
        return key.with_name(f"{key.name}.{self.whose}")

    def person(self) -> Person | None:
        """Return whom a command began to forget, as it knew them; None where that is not known."""
        if (row := self._row()) is None:
            return None
        try:
            masked, mask = bytes.fromhex(str(row["masked"])), self.mask_file.read_bytes()
            known = msgspec.json.decode(_masked(masked, mask), type=dict[str, set[str]])
            return Person(**{name: known[name] for name in _NAMES})
        except (OSError, ValueError, KeyError, *UNREADABLE):
            return None

    @property
    def is_lost(self) -> bool:
        """Whether a command was killed, and what it knew cannot be read any more."""
        return self._row() is not None and self.person() is None

    def begin(self, person: Person) -> None:
        """Keep what names a person.

        Where the folder of the key takes no file, the next command can only say what is lost.
        """
        if self.person() == person or self.whose is None:
            return
        known = msgspec.json.encode({name: sorted(getattr(person, name)) for name in _NAMES})
        mask = secrets.token_bytes(len(known))
        masked = _masked(known, mask).hex()
        try:
            replace_file(UPath(self.mask_file), mask)
        except OSError:
            masked = ""
        self._append(Entry([{"person": self.whose, "masked": masked}]))

    def end(self) -> None:
        """Keep it no more: nothing of the person is left."""
        if self._row() is not None:
            self._append(Entry(removed=[{"person": self.whose}]))
        self.mask_file.unlink(missing_ok=True)

    def _row(self) -> Row | None:
        return self._rows().get((self.whose,))

    def _rows(self) -> Mapping[tuple[object, ...], Row]:
        return self._record().folded(TABLE, _KEY_OF).rows

    def _append(self, entry: Entry) -> None:
        record = self._record()
        record.append(TABLE, record.folded(TABLE, _KEY_OF).number + 1, entry)

    def _record(self) -> Record:
        return Record(place(self.settings.home))


def _masked(content: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(content, mask, strict=True))
