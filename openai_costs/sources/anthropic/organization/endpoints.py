"""The lists as data: one entry per list. A new one is one entry here and one recorded page.

https://platform.claude.com/docs/en/manage-claude/administration-api
"""

from dataclasses import dataclass

DATASET = "directory"
MOST_ENTRIES = 1000
"""The largest `limit` of every list; without it a page holds 20."""

_MANUAL = "https://platform.claude.com/docs/en/api/admin"


@dataclass(frozen=True)
class ListEndpoint:
    """One list of the organization.

    Args:
        name: The archive's name for its pages.
        fields: Fields of an entry that we know.
        params: Parameters besides the paging's.
        newest_params: Parameters that the vendor added last: left out where they are refused.
    """

    name: str
    fields: frozenset[str]
    params: tuple[tuple[str, str], ...] = ()
    newest_params: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The path below the base URL."""
        return f"/organizations/{self.name}"

    @property
    def vendor_page(self) -> str:
        """Where the vendor documents it."""
        return f"{_MANUAL}/{self.name}/list"


def _known(fields: str) -> frozenset[str]:
    return frozenset(("id", "type", *fields.split()))


WORKSPACES = ListEndpoint(
    name="workspaces",
    fields=_known(
        "name created_at archived_at display_color tags compartment_id data_residency "
        "external_key_id user_profile_id inference_data_privacy"
    ),
    params=(("include_archived", "true"),),
    newest_params=(("include_default", "true"),),
)
"""Archived workspaces still have a bill; the default one has one too. Neither is listed unless
asked for."""

API_KEYS = ListEndpoint(
    name="api_keys",
    fields=_known(
        "name status created_at created_by expires_at partial_key_hint principal scope workspace_id"
    ),
)

USERS = ListEndpoint(name="users", fields=_known("name email role added_at"))

INVITES = ListEndpoint(
    name="invites",
    fields=_known("email role status invited_at expires_at accepted_at rbac_group_ids"),
)

LISTS: tuple[ListEndpoint, ...] = (WORKSPACES, API_KEYS, USERS, INVITES)
