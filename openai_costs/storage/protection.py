"""Whether a home rests encrypted, as the operating system or the object store says.

With `[storage] encryption = "required"` a home that does not is refused before anything is written.
Not here: what the texts of a system mean (disk_encryption.py).
"""

import array
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import fsspec  # type: ignore[import-untyped]
from upath import UPath

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.settings.at_rest import Storage
from openai_costs.storage.disk_encryption import (
    ENCRYPTED_KINDS,
    FSCRYPT_FLAG,
    Mount,
    Volume,
    is_bit_locker_on,
    is_dm_crypt,
    is_file_vault_on,
    mount_of,
    mounts,
)
from openai_costs.storage.files import is_local
from openai_costs.storage.object_stores import S3

SECONDS: Final = 20
_GET_FLAGS: Final = 0x80086601
"""FS_IOC_GETFLAGS of Linux."""


class NotEncrypted(OpenAICostsError):  # noqa: N818 - the name is the sentence's subject
    """The settings require a home that rests encrypted, and nothing confirms it.

    Args:
        home: The home.
        why: What is not there.
        remedy: What to do.
    """

    def __init__(self, home: UPath, why: str, remedy: str) -> None:
        super().__init__(
            f'[storage] encryption is "required", and {home} {why}. Nothing was written. {remedy}.'
        )


def ask_for_encryption(storage: Storage) -> None:
    """Let every write to S3 of this process ask for encryption; before the first place is made."""
    if storage.encryption is None:
        return
    how = {"ServerSideEncryption": "aws:kms" if storage.kms_key_id else "AES256"}
    if storage.kms_key_id:
        how["SSEKMSKeyId"] = storage.kms_key_id
    for scheme in S3:
        fsspec.config.conf.setdefault(scheme, {})["s3_additional_kwargs"] = how


def refuse_unencrypted(home: UPath, storage: Storage) -> None:
    """Refuse a home that does not rest encrypted, where the settings require it.

    Raises:
        NotEncrypted: It does not, or nothing says so.
        OSError: The object store cannot be reached.
    """
    if storage.encryption is None:
        return
    if not is_local(home):
        _refuse_plain_store(home, storage)
    elif not encrypted_by(home):
        raise NotEncrypted(
            home,
            "is on no encrypted file system",
            "Move it to a disk with dm-crypt (LUKS), fscrypt, gocryptfs, FileVault or BitLocker, "
            "or remove the setting",
        )


def encrypted_by(home: UPath) -> str:
    """Return what encrypts the disk of a local home; empty where nothing says so."""
    folder = Path(str(home)).resolve()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if sys.platform == "darwin":
        return "FileVault" if is_file_vault_on(_printed("/usr/bin/fdesetup", "status")) else ""
    if sys.platform == "win32":
        status = _printed("manage-bde", "-status", there.drive)
        return "BitLocker" if is_bit_locker_on(status) else ""
    return _on_linux(there)


def store_encryption(home: UPath) -> str:
    """Return how an object store confirms to encrypt what is written; empty where it does not.

    Writes a file of one byte, asks about it and removes it. Only S3 is asked: the answers of other
    stores do not say it.
    """
    if home.protocol not in S3:
        return ""
    trial = home / f".encryption-trial-{uuid4().hex}"
    store: Any = trial.fs
    bucket, _, name = trial.path.partition("/")
    trial.write_bytes(b"\0")
    try:
        answer = store.call_s3("head_object", Bucket=bucket, Key=name)
    finally:
        trial.unlink()
    method, key = answer.get("ServerSideEncryption", ""), answer.get("SSEKMSKeyId", "")
    return f"{method} {key}".strip()


def _refuse_plain_store(home: UPath, storage: Storage) -> None:
    if home.protocol not in S3:
        why = f"is a place ({home.protocol}) whose answers do not confirm encryption"
        raise NotEncrypted(home, why, "Choose an S3 bucket or an encrypted disk")
    try:
        confirmed = store_encryption(home)
    except OSError as refused:
        why = f"did not take a write that asks for encryption ({type(refused).__name__})"
        raise NotEncrypted(home, why, _STORE_REMEDY) from None
    wanted = f"aws:kms {storage.kms_key_id}" if storage.kms_key_id else "AES256"
    if not _is(confirmed, wanted):
        answered = f"answered {confirmed!r}" if confirmed else "did not confirm any"
        why = f"was asked to encrypt ({wanted.split(maxsplit=1)[0]}) and {answered}"
        raise NotEncrypted(home, why, _STORE_REMEDY)


_STORE_REMEDY: Final = (
    "Turn on server-side encryption for the bucket, and let these credentials use its key, or "
    "choose another bucket"
)


def _is(confirmed: str, wanted: str) -> bool:
    """Return whether an answer confirms a method, with the key asked for: a store names its ARN."""
    method, _, key = wanted.partition(" ")
    given, _, of_key = confirmed.partition(" ")
    return given == method and (not key or of_key in (key, "") or of_key.endswith(f"/{key}"))


def _on_linux(folder: Path) -> str:
    with suppress(OSError):
        listed = mounts(Path("/proc/self/mountinfo").read_text(errors="replace"))
        if mount := mount_of(str(folder), listed):
            if kind := ENCRYPTED_KINDS.get(mount.kind):
                return kind
            if is_dm_crypt(_volume(_device(mount))):
                return "dm-crypt"
    return "fscrypt" if _has_fscrypt(folder) else ""


def _device(mount: Mount) -> Path:
    """Return a mount's device in /sys: that of its source, as btrfs has none of its own."""
    number = mount.device
    with suppress(OSError):
        if mount.source.startswith("/dev/"):
            device = Path(mount.source).stat().st_rdev
            number = f"{os.major(device)}:{os.minor(device)}"
    return Path("/sys/dev/block") / number


def _volume(device: Path) -> Volume:
    with suppress(OSError):
        uuid = device / "dm/uuid"
        name = uuid.read_text().strip() if uuid.exists() else ""
        slaves = device / "slaves"
        parts = [_volume(one) for one in slaves.iterdir()] if slaves.is_dir() else []
        return Volume(name, parts)
    return Volume("")


def _has_fscrypt(folder: Path) -> bool:
    """Return whether a folder of ext4, f2fs or another has a policy of fscrypt."""
    from fcntl import ioctl  # noqa: PLC0415 - not on Windows

    flags = array.array("l", [0])
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            ioctl(opened, _GET_FLAGS, flags)
        finally:
            os.close(opened)
    return bool(flags[0] & FSCRYPT_FLAG)


def _printed(*command: str) -> str:
    """Return what a command of the system prints; empty where it cannot be run."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 - the words are ours
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return done.stdout
    return ""
