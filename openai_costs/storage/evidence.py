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
from openai_costs.kernel.json_texts import with_pseudonyms
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.storage.files import replace_file
from openai_costs.storage.packing import Manifest, Part, Rewritten, packed, unpacked

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
    names = {name: _part_name(name, people) for name in {*manifest.parts, *bodies}}
    after = {names[name]: with_pseudonyms(body, people) for name, body in bodies.items()}
    changed = {name for name, body in bodies.items() if body != after[names[name]]}
    parts = {
        names[name]: _part(part, people, bodies.get(name), after.get(names[name], b""))
        for name, part in manifest.parts.items()
    }
    absent = {_part_name(name, people): people.text(why) for name, why in manifest.absent.items()}
    if not changed and (parts, absent) == (manifest.parts, manifest.absent):
        return manifest, bodies
    rewritten = Rewritten(
        manifest.read_at if at is None else at,
        WHY,
        {names[name]: sha256(bodies[name]).hexdigest() for name in sorted(changed)},
        {names[name]: sha256(after[names[name]]).hexdigest() for name in sorted(changed)},
    )
    new = msgspec.structs.replace(
        manifest, parts=parts, absent=absent, rewritten=[*manifest.rewritten, rewritten]
    )
    return new, after


def _part(part: Part, people: Pseudonyms, before: bytes | None, after: bytes) -> Part:
    """Return how a part was asked for, without names, and the digest of what it says now."""
    path = "/".join(map(people.identifier, part.path.split("/")))
    params = [(name, people.identifier(value)) for name, value in part.params]
    new = msgspec.structs.replace(part, path=path, params=params)
    if before is None or part.sha256 != sha256(before).hexdigest():
        return new  # one that was changed by others stays refused
    return msgspec.structs.replace(new, sha256=sha256(after).hexdigest(), size_bytes=len(after))


def _part_name(name: str, people: Pseudonyms) -> str:
    """Return the name of a part: one that is of a person has their id after the first dot."""
    kind, dot, whose = name.partition(".")
    return f"{kind}{dot}{people.identifier(whose)}" if dot else people.text(name)


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
