from __future__ import annotations

from typing import Final

import pytest

from openai_costs.storage.disk_encryption import (
    ENCRYPTED_KINDS,
    Volume,
    is_bit_locker_on,
    is_dm_crypt,
    is_file_vault_on,
    mount_of,
    mounts,
)

MOUNTINFO: Final = """\
22 1 253:1 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw
31 22 0:44 / /home/ada/private\\040notes rw,nosuid - fuse.gocryptfs /home/ada/.cipher rw
35 22 8:3 / /srv rw shared:2 master:1 - xfs /dev/sda3 rw,attr2
36 35 0:50 / /srv rw - tmpfs tmpfs rw
a line of another kernel
"""
LUKS: Final = Volume("CRYPT-LUKS2-0123456789abcdef-root")
DISK: Final = Volume("")
BIT_LOCKER: Final = """\
Volume C: [System]
[OS Volume]

    Size:                 237.11 GB
    BitLocker Version:    2.0
    Conversion Status:    {conversion}
    Percentage Encrypted: 100.0%
    Encryption Method:    XTS-AES 128
    Protection Status:    {protection}
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/ada/private notes/costs", "fuse.gocryptfs"),
        ("/home/ada/private notes 2", "ext4"),
        ("/srv/costs", "tmpfs"),
    ],
)
def test_a_folder_is_on_the_longest_mount_above_it_and_the_last_of_these(
    folder: str, kind: str
) -> None:
    mount = mount_of(folder, mounts(MOUNTINFO))
    assert mount
    assert mount.kind == kind


def test_what_no_mount_is_above_is_on_none() -> None:
    assert mount_of("/srv", []) is None
    assert mounts("") == []


def test_gocryptfs_encrypts_and_ext4_does_not() -> None:
    assert ENCRYPTED_KINDS["fuse.gocryptfs"] == "gocryptfs"
    assert "ext4" not in ENCRYPTED_KINDS


@pytest.mark.parametrize(
    ("volume", "is_encrypted"),
    [
        (LUKS, True),
        (DISK, False),
        (Volume("LVM-vg-home", (LUKS,)), True),
        (Volume("LVM-vg-home", (LUKS, DISK)), False),
        (Volume("LVM-vg-home", (Volume("", (LUKS,)), LUKS)), True),
        (Volume("LVM-vg-home"), False),
    ],
)
def test_a_volume_is_encrypted_where_all_that_it_is_made_of_is(
    volume: Volume, *, is_encrypted: bool
) -> None:
    assert is_dm_crypt(volume) == is_encrypted


@pytest.mark.parametrize(
    ("status", "is_on"),
    [
        ("FileVault is On.\n", True),
        ("FileVault is Off.\n", False),
        ("FileVault is On.\nEncryption in progress: Percent completed = 12.5\n", False),
        ("", False),
    ],
)
def test_file_vault_is_on_when_it_says_so_and_is_ready(status: str, *, is_on: bool) -> None:
    assert is_file_vault_on(status) == is_on


@pytest.mark.parametrize(
    ("conversion", "protection", "is_on"),
    [
        ("Fully Encrypted", "Protection On", True),
        ("Used Space Only Encrypted", "Protection On", True),
        ("Fully Encrypted", "Protection Off", False),
        ("Encryption in Progress", "Protection On", False),
        ("Fully Decrypted", "Protection Off", False),
    ],
)
def test_bit_locker_is_on_when_all_is_encrypted_and_protected(
    conversion: str, protection: str, *, is_on: bool
) -> None:
    status = BIT_LOCKER.format(conversion=conversion, protection=protection)
    assert is_bit_locker_on(status) == is_on
    assert is_bit_locker_on(status.replace("\n", "\r\n")) == is_on
