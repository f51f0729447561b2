"""The directory as data: one entry per list. A new one is one entry here and one recorded page.

https://platform.openai.com/docs/api-reference/administration
"""

from dataclasses import dataclass

DATASET = "directory"
MOST_ENTRIES = 100
"""The largest `limit` of every list; without it a page holds 20."""

PROJECT_ID = "[A-Za-z0-9_-]{1,64}"
"""What a project's id may look like to become part of a path and of a part's name."""

_MANUAL = "https://platform.openai.com/docs/api-reference"
_ORGANIZATION = "/organization"
_PROJECT = "/organization/projects/{project_id}"


@dataclass(frozen=True)
class ListEndpoint:
    """One list, or one single object that may not be there.

    Args:
        name: The archive's name for its pages.
        path: Path below the base URL; `{project_id}` where there is one list per project.
        entry_object: The `object` of an entry.
        fields: Fields of an entry that we know.
        vendor_page: Where the vendor documents it.
        params: Parameters besides the paging's.
        is_single: Whether it is one object: no pages, and HTTP 404 means that there is none.
    """

    name: str
    path: str
    entry_object: str
    fields: frozenset[str]
    vendor_page: str
    params: tuple[tuple[str, str], ...] = ()
    is_single: bool = False

    @property
    def is_per_project(self) -> bool:
        """Whether every project has a list of its own."""
        return "{project_id}" in self.path

    @property
    def pattern(self) -> str:
        """The pattern that its paths match in full."""
        return self.path.replace("{project_id}", PROJECT_ID)


def _known(fields: str) -> frozenset[str]:
    return frozenset(("object", *fields.split()))


def _limit(path: str, entry_object: str) -> ListEndpoint:
    fields = _known("threshold_amount currency interval enforcement")
    page = f"{_MANUAL}/administration"
    return ListEndpoint("spend_limit", path, entry_object, fields, page, is_single=True)


def _alerts(path: str, entry_object: str) -> ListEndpoint:
    fields = _known("id threshold_amount currency interval notification_channel")
    return ListEndpoint("spend_alerts", path, entry_object, fields, f"{_MANUAL}/administration")


PROJECTS = ListEndpoint(
    name="projects",
    path=f"{_ORGANIZATION}/projects",
    entry_object="organization.project",
    fields=_known("id name status created_at archived_at residency external_key_id"),
    vendor_page=f"{_MANUAL}/projects",
    params=(("include_archived", "true"),),
)
"""Archived projects still have a bill, and are left out unless asked for."""

API_KEYS = ListEndpoint(
    name="api_keys",
    path=f"{_PROJECT}/api_keys",
    entry_object="organization.project.api_key",
    fields=_known(
        "id name redacted_value created_at last_used_at expires_at owner owner_project_access"
    ),
    vendor_page=f"{_MANUAL}/project-api-keys",
    params=(("owner_project_access", "any"),),
)
"""Without `any` the list "may exclude some enabled keys" (vendor)."""

USERS = ListEndpoint(
    name="users",
    path=f"{_ORGANIZATION}/users",
    entry_object="organization.user",
    fields=_known(
        "id email name role added_at created user projects api_key_last_used_at is_default "
        "is_service_account is_scim_managed is_scale_tier_authorized_purchaser "
        "developer_persona technical_level"
    ),
    vendor_page=f"{_MANUAL}/users",
)

INVITES = ListEndpoint(
    name="invites",
    path=f"{_ORGANIZATION}/invites",
    entry_object="organization.invite",
    fields=_known("id email role status created_at expires_at accepted_at projects"),
    vendor_page=f"{_MANUAL}/invite",
)

ADMIN_KEYS = ListEndpoint(
    name="admin_api_keys",
    path=f"{_ORGANIZATION}/admin_api_keys",
    entry_object="organization.admin_api_key",
    fields=_known("id name redacted_value created_at last_used_at expires_at owner"),
    vendor_page=f"{_MANUAL}/admin-api-keys",
)

MEMBERS = ListEndpoint(
    name="members",
    path=f"{_PROJECT}/users",
    entry_object="organization.project.user",
    fields=_known("id email name role added_at"),
    vendor_page=f"{_MANUAL}/project-users",
)

SERVICE_ACCOUNTS = ListEndpoint(
    name="service_accounts",
    path=f"{_PROJECT}/service_accounts",
    entry_object="organization.project.service_account",
    fields=_known("id name role created_at"),
    vendor_page=f"{_MANUAL}/project-service-accounts",
)

ORGANIZATION_LIMIT = _limit(f"{_ORGANIZATION}/spend_limit", "organization.spend_limit")
ORGANIZATION_ALERTS = _alerts(f"{_ORGANIZATION}/spend_alerts", "organization.spend_alert")
PROJECT_LIMIT = _limit(f"{_PROJECT}/spend_limit", "project.spend_limit")
PROJECT_ALERTS = _alerts(f"{_PROJECT}/spend_alerts", "project.spend_alert")

ENDPOINTS: tuple[ListEndpoint, ...] = (
    PROJECTS,
    USERS,
    INVITES,
    ADMIN_KEYS,
    ORGANIZATION_LIMIT,
    ORGANIZATION_ALERTS,
    API_KEYS,
    MEMBERS,
    SERVICE_ACCOUNTS,
    PROJECT_LIMIT,
    PROJECT_ALERTS,
)

ALLOWED_PATTERNS: tuple[str, ...] = tuple(one.pattern for one in ENDPOINTS)
"""Patterns that a path of the directory must match in full."""
