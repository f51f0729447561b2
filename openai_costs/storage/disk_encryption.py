"""What texts of an operating system say about the encryption of a disk. Pure.

Each function takes what a file of Linux, or a command of macOS or Windows, says. Not here: reading
them (protection.py).
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple

ENCRYPTED_KINDS: Final = {
    "ecryptfs": "eCryptfs",
    "fuse.cryfs": "CryFS",
    "fuse.encfs": "EncFS",
    "encfs": "EncFS",
    "fuse.gocryptfs": "gocryptfs",
}
"""File systems that encrypt whatever is written to them, by the type of their mount."""

DM_CRYPT: Final = "CRYPT-"
FSCRYPT_FLAG: Final = 0x800
"""FS_ENCRYPT_FL of Linux: the folder has an encryption policy."""

_FIELDS_BEFORE: Final = 5
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system.

    Args:
        point: Where it is mounted.
        device: Its device, as `253:0`.
        kind: Its type, such as `ext4`.
        source: What is mounted, such as `/dev/dm-0`.
    """

    point: str
    device: str
    kind: str
    source: str


class Volume(NamedTuple):
    """A block device, and those it is made of.

    Args:
        uuid: What device mapper calls it; empty for other devices.
        parts: The devices below it.
    """

    uuid: str
    parts: Sequence["Volume"] = ()


def mounts(mountinfo: str) -> list[Mount]:
    """Return the mounts that `/proc/self/mountinfo` lists; man 5 proc."""
    found = []
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields, of_kind = before.split(), after.split()
        if separator and len(fields) >= _FIELDS_BEFORE and len(of_kind) > 1:
            found.append(Mount(_plain(fields[4]), fields[2], of_kind[0], _plain(of_kind[1])))
    return found


def mount_of(folder: str, known: Iterable[Mount]) -> Mount | None:
    """Return the mount that a folder is on: the longest, and of these the one mounted last."""
    above = {folder, *map(str, PurePosixPath(folder).parents)}
    on = [one for one in known if one.point in above]
    return max(reversed(on), key=lambda one: len(one.point), default=None)


def is_dm_crypt(volume: Volume) -> bool:
    """Return whether all that is written to a volume is encrypted by dm-crypt, at any depth."""
    if volume.uuid.startswith(DM_CRYPT):
        return True
    return bool(volume.parts) and all(map(is_dm_crypt, volume.parts))


def is_file_vault_on(status: str) -> bool:
    """Return whether `fdesetup status` says that the disk is encrypted, not that it begins to."""
    lines = status.splitlines()
    return "FileVault is On." in lines and not any("in progress" in line for line in lines)


def is_bit_locker_on(status: str) -> bool:
    """Return whether `manage-bde -status DRIVE` says that all is encrypted, and protected."""
    fields = dict(re.findall(r"^\s*([^:\n]+?)\s*:[ \t]*(.+?)[ \t]*\r?$", status, re.MULTILINE))
    is_whole = fields.get("Conversion Status", "").endswith("Fully Encrypted") or (
        fields.get("Conversion Status") == "Used Space Only Encrypted"
    )
    return is_whole and fields.get("Protection Status") == "Protection On"


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda code: chr(int(code[1], 8)), text)
