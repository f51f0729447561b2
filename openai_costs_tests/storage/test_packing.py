import io
import tarfile
from datetime import UTC, date, datetime

import msgspec
import pytest
import zstandard

from openai_costs.kernel.errors import PageRefused
from openai_costs.storage.packing import Manifest, packed, unpacked

AT = datetime(2026, 3, 11, 6, 30, tzinfo=UTC)
MANIFEST = Manifest("openai", "acme", "costs", date(2026, 3, 10), AT, {})
SIZE = slice(124, 136)


def tar_of(content: bytes) -> bytes:
    return zstandard.decompress(content)


def tarfile_of(bodies: dict[str, bytes]) -> bytes:
    """The same file as version 0.1 wrote it."""
    described, content = msgspec.json.format(msgspec.json.encode(MANIFEST)), io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in (("manifest", described), *bodies.items()):
            member = tarfile.TarInfo(f"{name}.json")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return content.getvalue()


@pytest.mark.parametrize(
    "bodies",
    [
        {},
        {"ledger": b""},
        {"ledger": b"x", "control": b"{}"},
        {"whole block": bytes(512), "one more": bytes(513), "record": b"y" * 10_240},
        {"größe": b"1", f"project_members.{'a' * 60}/{'b' * 60}": b"2"},
    ],
)
def test_a_kept_file_is_the_tar_that_tarfile_writes_and_reads(bodies: dict[str, bytes]) -> None:
    assert tar_of(packed(MANIFEST, bodies)) == tarfile_of(bodies)
    assert unpacked(packed(MANIFEST, bodies), "page") == (MANIFEST, bodies)


@pytest.mark.parametrize("size", [b"-0000000512\0", b"  512 \0", bytes(12), b"\xff" * 12])
def test_what_is_no_header_ends_the_file(size: bytes) -> None:
    content = bytearray(tarfile_of({"ledger": b"{}", "control": b"[]"}))
    header = content.index(b"control.json")
    content[header + SIZE.start : header + SIZE.stop] = size
    assert unpacked(zstandard.compress(content), "page") == (MANIFEST, {"ledger": b"{}"})


@pytest.mark.parametrize("content", [b"", b"no tar", bytes(1024), b"\xff" * 2048])
def test_a_file_without_a_manifest_is_damaged(content: bytes) -> None:
    with pytest.raises(PageRefused, match="is damaged"):
        unpacked(zstandard.compress(content), "page")


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_file_that_other_tools_packed_again_has_the_same_members(form: int) -> None:
    bodies = {"ledger": b"{}", f"größe-{'x' * 200}": b"[]"}
    described, content = msgspec.json.encode(MANIFEST), io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=form) as tar:
        folder = tarfile.TarInfo("pages")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, body in (("manifest", described), *bodies.items()):
            member = tarfile.TarInfo(f"{name}.json")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    assert unpacked(zstandard.compress(content.getvalue()), "page") == (MANIFEST, bodies)


def test_a_file_that_ends_within_a_member_is_damaged() -> None:
    cut = tarfile_of({"ledger": b"x" * 5000})[:4000]
    with pytest.raises(PageRefused, match="is damaged"):
        unpacked(zstandard.compress(cut), "page")
