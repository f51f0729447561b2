"""Takes the names of forgotten people out of kept reads, and writes down that this was done.

A read that was changed says so in its manifest: when, why, and the digests of each part before and
after, so that an auditor can tell a rewritten page from a forged one.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

import msgspec
from upath import UPath

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.storage.files import replace_file
from openai_costs.storage.packing import Manifest, Rewritten, packed, unpacked

WHY = "names of forgotten people replaced by pseudonyms"


def without_people(
    manifest: Manifest,
    bodies: Mapping[str, bytes],
    people: Pseudonyms | None,
    at: datetime | None = None,
) -> tuple[Manifest, Mapping[str, bytes]]:
    """Return a read without the names of forgotten people; the same where it has none.

    Args:
        manifest: Its description.
        bodies: Its parts.
        people: Whom to forget.
        at: When that is; None for the moment of the read.
    """
    if people is None:
        return manifest, bodies
    after = {name: people.body(body) for name, body in bodies.items()}
    absent = {name: people.text(text) for name, text in manifest.absent.items()}
    changed = {name for name, body in after.items() if body != bodies[name]}
    if not changed and absent == manifest.absent:
        return manifest, bodies
    parts = {
        name: msgspec.structs.replace(
            part, sha256=sha256(after[name]).hexdigest(), size_bytes=len(after[name])
        )
        if name in changed and part.sha256 == sha256(bodies[name]).hexdigest()
        else part  # one that was changed by others stays refused
        for name, part in manifest.parts.items()
    }
    rewritten = Rewritten(
        manifest.read_at if at is None else at,
        WHY,
        {name: sha256(bodies[name]).hexdigest() for name in sorted(changed)},
        {name: sha256(after[name]).hexdigest() for name in sorted(changed)},
    )
    new = msgspec.structs.replace(
        manifest, parts=parts, absent=absent, rewritten=[*manifest.rewritten, rewritten]
    )
    return new, after


def rewrite(file: UPath, people: Pseudonyms, at: datetime) -> bool:
    """Write a kept file again without names; return whether it had any.

    One that is damaged cannot be read by anyone who is to find out, and is removed.
    """
    try:
        manifest, bodies = unpacked(file.read_bytes(), str(file))
    except PageRefused:
        file.unlink()
        return True
    new, after = without_people(manifest, bodies, people, at)
    if new is manifest:
        return False
    replace_file(file, packed(new, after))
    return True
