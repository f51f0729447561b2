from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from upath import UPath

from openai_costs.storage.lake import Lake
from openai_costs.storage.renamed import rename_connection
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import day

if TYPE_CHECKING:
    from pathlib import Path


def user(connection: str, user_id: str, name: str) -> dict[str, Any]:
    return dict.fromkeys(Users.types()) | {
        "connection": connection,
        "provider": "openai",
        "id": user_id,
        "name": name,
        "status": "active",
        "first_seen_day": day(1),
        "last_seen_day": day(2),
        "is_current": True,
    }


def renamed(folder: Path, *users: dict[str, Any]) -> list[tuple[str, ...]]:
    """Who is known of which connection once acme is called bolt."""
    lake = Lake(UPath(folder))
    lake.replace_whole(Users, pl.DataFrame(users, schema=Users.types()))
    rename_connection(UPath(folder), "openai", "acme", "bolt")
    return lake.read(Users).select("connection", "id", "name").rows()


def test_people_are_known_under_the_new_name_and_others_stay(tmp_path: Path) -> None:
    found = renamed(tmp_path, user("acme", "u", "Ana"), user("other", "u", "Ben"))
    assert found == [("bolt", "u", "Ana"), ("other", "u", "Ben")]


def test_people_whom_the_new_name_knows_already_stay_as_they_are(tmp_path: Path) -> None:
    found = renamed(tmp_path, user("acme", "u", "Ana"), user("bolt", "u", "Ana Oduya"))
    assert found == [("bolt", "u", "Ana Oduya")]


def finding(finding_id: str, connection: str, subject_id: str) -> dict[str, Any]:
    return dict.fromkeys(Findings.types()) | {
        "finding_id": finding_id,
        "rule": "reconciliation.gap",
        "severity": "warning",
        "subject_kind": "gateway",
        "subject_id": subject_id,
        "connection": connection,
        "day": day(4),
        "since_day": day(3),
        "opened_day": day(4),
        "state": "open",
        "change": 1,
        "unit": "USD",
        "because": "why",
        "table_name": "mart.cost_reconciliation",
        "docs": "docs/governance.md",
    }


def test_a_finding_keeps_its_id_and_names_the_new_connection(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    known = (
        finding("a", "acme", "acme/cached_tokens"),
        finding("b", "acme", "key_acme"),
        finding("c", "other", "acme/cached_tokens"),
    )
    lake.replace_whole(Findings, pl.DataFrame(known, schema=Findings.types()))
    for _ in range(2):
        rename_connection(UPath(tmp_path), "openai", "acme", "bolt")
        assert lake.read(Findings).select("finding_id", "connection", "subject_id").rows() == [
            ("a", "bolt", "bolt/cached_tokens"),
            ("b", "bolt", "key_acme"),
            ("c", "other", "acme/cached_tokens"),
        ]
