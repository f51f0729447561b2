"""The lists of an organization are read once for all tables that are made of them."""

from dataclasses import replace
from pathlib import Path

from upath import UPath

from openai_costs.sources.openai.organization.assets import ORGANIZATION
from openai_costs.sources.organization.frames import usable
from openai_costs.sources.organization.kept_lists import KeptLists
from openai_costs.sources.organization.kinds import KINDS, Kind
from openai_costs.sources.organization.listings import Listing
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs_tests.sources.openai.organization.wire import project, read, user


def keep(archive: Archive, made: KeptRead) -> None:
    whose = made.manifest
    requests = {name: (one.path, one.params, one.grouping) for name, one in whose.parts.items()}
    archive.keep(
        DayRead("openai", "acme", "directory", whose.day, whose.read_at, requests, made.bodies)
    )


def test_each_kept_read_is_opened_once_for_all_tables_and_lists_what_it_lists_for_each(
    tmp_path: Path,
) -> None:
    archive, opened = Archive(UPath(tmp_path)), list[tuple[str, int]]()
    keep(archive, read({"projects": [project("a")], "users": [user("ada")]}))
    keep(archive, read({"projects": [project("a"), project("b")]}, days=1))

    def listing(kind: Kind, one: KeptRead) -> Listing:
        opened.append((str(one.manifest.day), id(one)))
        return ORGANIZATION.listing(kind, one)

    lists = KeptLists(archive)
    source = replace(ORGANIZATION, listing=listing)
    found = [lists.of(source, "acme")[kind.table] for kind in KINDS]
    assert len(opened) == 2 * len(KINDS)
    assert len(set(opened)) == 2
    for kind, mine in zip(KINDS, found, strict=True):
        reads = archive.every("openai", "acme", "directory")
        alone = usable([kind], ORGANIZATION.listing, reads)[kind.table]
        assert [one.rows.rows() for one in mine.listings] == [
            one.rows.rows() for one in alone.listings
        ]
