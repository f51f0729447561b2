"""Tidewater Maps: the invented company, written as ages in days before "today".

Ages instead of dates keep every story inside the window the caller asks for. No one here exists;
the mail domain is reserved for examples by RFC 2606.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final, Literal

from openai_costs.sample.company import administration
from openai_costs.sample.company.fixtures import (
    ApiKey,
    Fixtures,
    Person,
    Project,
    Role,
    ServiceAccount,
)

ORGANIZATION_ID: Final = "org-tidewatermaps"
COMPANY: Final = "Tidewater Maps"
MAIL_DOMAIN: Final = "tidewater-maps.example"
LEAVER_LEFT_AGE: Final = 24
NEW_KEY_AGE: Final = 6

# id suffix, name, role, team, age when added, age when removed
_PEOPLE: Final[tuple[tuple[str, str, Role, str, int, int | None], ...]] = (
    ("ines", "Ines Aldebert", "owner", "platform", 1400, None),
    ("tobias", "Tobias Winterfeld", "owner", "finance", 1390, None),
    ("naima", "Naima Okonjo", "reader", "platform", 1300, None),
    ("ruben", "Ruben Castellanos", "reader", "routing", 1290, None),
    ("signe", "Signe Hallstrom", "reader", "routing", 1100, None),
    ("kaveh", "Kaveh Daryaee", "reader", "search", 1050, None),
    ("lucia", "Lucia Ferrandez", "reader", "search", 940, None),
    ("olu", "Olu Adeyemi-Ross", "reader", "support", 900, None),
    ("mirela", "Mirela Popovici", "reader", "support", 610, None),
    ("jonas", "Jonas Marten", "reader", "labs", 800, LEAVER_LEFT_AGE),
    ("hyejin", "Hyejin Baek", "reader", "labs", 520, None),
    ("paolo", "Paolo Santangelo", "reader", "studio", 480, None),
    ("amrit", "Amrit Dhaliwal", "reader", "studio", 300, None),
    ("freya", "Freya Lindqvist", "reader", "finance", 260, None),
    # Two people of one name: this one works, the other holds a seat that she does not use.
    ("lferrandez", "Lucia Ferrandez", "reader", "studio", 330, None),
)

# id suffix, name, members, age when created, age when archived
_PROJECTS: Final[tuple[tuple[str, str, str, int, int | None], ...]] = (
    ("route_planner", "Route planner", "ruben signe naima", 1280, None),
    ("support_desk", "Support desk", "olu mirela", 880, None),
    ("place_search", "Place search", "kaveh lucia", 1040, None),
    ("map_studio", "Map studio", "paolo amrit", 470, None),
    ("voice_guide", "Voice guide", "amrit hyejin", 290, None),
    # Two projects of one name: the French edition began as a copy.
    ("voice_guide_fr", "Voice guide", "lferrandez amrit", 265, None),
    ("labs", "Labs", "jonas hyejin signe", 790, None),
    ("finance_close", "Finance close", "tobias freya", 1200, None),
    ("model_evals", "Model evals", "naima hyejin", 640, None),
    ("shared_proxy", "Shared proxy", "ines naima", 420, None),
    # Nothing was ever bought in it.
    ("hack_week", "Hack week", "hyejin signe", 150, None),
    ("atlas_2024", "Atlas 2024", "lucia ruben", 1250, 45),
)

RESIDENCY: Final = {"proj_finance_close": "EU_STORAGE_PROCESSING"}
"""Where a project's data is kept, unless anywhere; newer models cost more there."""

# id suffix, project, name, role, age when created
_SERVICE_ACCOUNTS: Final[tuple[tuple[str, str, str, Literal["owner", "member"], int], ...]] = (
    ("route_api", "route_planner", "route-api", "member", 1270),
    ("helpdesk_bot", "support_desk", "helpdesk-bot", "member", 870),
    ("indexer", "place_search", "place-indexer", "member", 1030),
    ("ledger_close", "finance_close", "ledger-close", "member", 1190),
    ("proxy", "shared_proxy", "litellm-proxy", "member", 415),
)

# id suffix, name, project, owner (svc: means a service account), ages: created, last used, deleted
_API_KEYS: Final[tuple[tuple[str, str, str, str, int, int | None, int | None], ...]] = (
    ("route_prod", "route api production", "route_planner", "svc:route_api", 1260, 0, None),
    ("route_staging", "route api staging", "route_planner", "svc:route_api", 700, 0, None),
    ("route_ruben", "ruben laptop", "route_planner", "ruben", 640, 0, None),
    ("desk_prod", "helpdesk bot", "support_desk", "svc:helpdesk_bot", 860, 0, None),
    ("desk_agents", "helpdesk agents", "support_desk", "svc:helpdesk_bot", 230, 0, None),
    ("desk_mirela", "macro drafts", "support_desk", "mirela", 580, 0, None),
    ("search_prod", "search ranking", "place_search", "svc:indexer", 1020, 0, None),
    ("search_reindex", "nightly reindex", "place_search", "svc:indexer", 990, 0, None),
    ("search_kaveh", "relevance notebook", "place_search", "kaveh", 410, 0, None),
    # Sweeps through a country whenever its map was updated: never two days alike.
    ("search_sweeps", "geocoding sweeps", "place_search", "kaveh", 380, 0, None),
    ("studio_render", "tile renderer", "map_studio", "paolo", 460, 0, None),
    ("studio_amrit", "style drafts", "map_studio", "amrit", 280, 0, None),
    # The same name, owner and project twice: no record says which one is in use.
    ("studio_amrit_2", "style drafts", "map_studio", "amrit", 210, 0, None),
    ("voice_prod", "voice guide", "voice_guide", "amrit", 285, 0, None),
    ("voice_fr", "voice guide", "voice_guide_fr", "lferrandez", 255, 0, None),
    ("voice_trial", "accent trial", "voice_guide", "hyejin", 200, 55, 47),
    ("labs_hyejin", "agent experiments", "labs", "hyejin", 510, 0, None),
    ("labs_jonas", "jonas prototypes", "labs", "jonas", 780, 0, None),
    ("labs_signe", "signe scratch", "labs", "signe", 350, 130, None),
    ("labs_unused", "hackday spare", "labs", "hyejin", 150, None, None),
    ("labs_new", "new pipeline", "labs", "signe", NEW_KEY_AGE, 0, None),
    ("finance_close", "close assistant", "finance_close", "svc:ledger_close", 1180, 0, None),
    ("finance_freya", "variance notes", "finance_close", "freya", 250, 0, None),
    ("evals_naima", "regression suite", "model_evals", "naima", 630, 0, None),
    # The gateway has one key for each model, whichever virtual key a request came with.
    ("shared_large", "proxy, large models", "shared_proxy", "svc:proxy", 410, 0, None),
    ("shared_small", "proxy, small models", "shared_proxy", "svc:proxy", 410, 0, None),
    ("atlas_batch", "atlas batch", "atlas_2024", "lucia", 1240, 46, 45),
)
# Keys made before the vendor knew users: what the bill says instead of one, and whether usage
# names one all the same.
_UNTRACKED: Final[dict[str, tuple[str | None, bool]]] = {
    "finance_close": (None, True),
    "desk_mirela": ("", False),
}


def _instant(today: date, age: int, name: str) -> datetime:
    """A made-up but steady time of day, `age` days before today."""
    if age == 0:
        return datetime.combine(today, time.min, UTC)
    minutes = sum(name.encode()) * 7 % (8 * 60)
    return datetime.combine(today - timedelta(days=age), time(8), UTC) + timedelta(minutes=minutes)


def _maybe(today: date, age: int | None, name: str) -> datetime | None:
    return None if age is None else _instant(today, age, name)


def _people(today: date) -> tuple[Person, ...]:
    return tuple(
        Person(
            id=f"user-{suffix}",
            name=name,
            email=f"{suffix}@{MAIL_DOMAIN}",
            role=role,
            team=team,
            added_at=_instant(today, added, name),
            left_day=_maybe(today, left, name),
        )
        for suffix, name, role, team, added, left in _PEOPLE
    )


def _projects(today: date) -> tuple[Project, ...]:
    return tuple(
        Project(
            id=f"proj_{suffix}",
            name=name,
            member_ids=tuple(f"user-{member}" for member in members.split()),
            created_at=_instant(today, created, name),
            archived_at=_maybe(today, archived, name),
            residency=RESIDENCY.get(f"proj_{suffix}", "GLOBAL"),
        )
        for suffix, name, members, created, archived in _PROJECTS
    )


def _service_accounts(today: date) -> tuple[ServiceAccount, ...]:
    return tuple(
        ServiceAccount(
            id=f"svc_acct_{suffix}",
            user_id=f"user-svc-{suffix}",
            project_id=f"proj_{project}",
            name=name,
            role=role,
            created_at=_instant(today, created, name),
        )
        for suffix, project, name, role, created in _SERVICE_ACCOUNTS
    )


def _api_keys(today: date) -> tuple[ApiKey, ...]:
    keys = []
    for suffix, name, project, owner, created, used, deleted in _API_KEYS:
        robot = owner.removeprefix("svc:") if owner.startswith("svc:") else None
        user_id = f"user-svc-{robot}" if robot else f"user-{owner}"
        billed, is_metered = _UNTRACKED.get(suffix, (user_id, True))
        keys.append(
            ApiKey(
                id=f"key_{suffix}",
                name=name,
                redacted_value=f"sk-proj-****{sum(suffix.encode()) % 10_000:04d}",
                project_id=f"proj_{project}",
                owner_type="service_account" if robot else "user",
                owner_id=f"svc_acct_{robot}" if robot else f"user-{owner}",
                user_id=user_id,
                billed_user_id=billed,
                metered_user_id=user_id if is_metered else None,
                created_at=_instant(today, created, suffix),
                last_used_at=_maybe(today, used, suffix),
                deleted_at=_maybe(today, deleted, suffix),
                is_in_use=used == 0,
            )
        )
    return tuple(keys)


def tidewater_maps(today: date) -> Fixtures:
    """The whole fixtures as it stands on `today` (a UTC date)."""
    instant = partial(_instant, today)
    return Fixtures(
        organization_id=ORGANIZATION_ID,
        company=COMPANY,
        people=_people(today),
        service_accounts=_service_accounts(today),
        projects=_projects(today),
        api_keys=_api_keys(today),
        invites=administration.invites(instant, MAIL_DOMAIN),
        admin_keys=administration.admin_keys(instant),
        limits=administration.spend_limits(instant),
        alerts=administration.spend_alerts(instant, MAIL_DOMAIN),
    )
