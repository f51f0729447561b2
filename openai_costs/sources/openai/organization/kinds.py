"""Which of OpenAI's lists each table of the organization is made of, and what an entry of each is.

Pure.
"""

from collections.abc import Mapping

from openai_costs.sources.openai.organization import endpoints as lists
from openai_costs.sources.openai.organization.endpoints import ListEndpoint
from openai_costs.sources.openai.organization.entries import (
    AdminKey,
    Alert,
    ApiKey,
    Entry,
    Invite,
    Limit,
    Member,
    Project,
    ServiceAccount,
    User,
)
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.project_members import ProjectMembers
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.core.users import Users
from openai_costs.tables.entity import Known

ENTRIES: Mapping[type[Known], Mapping[ListEndpoint, type[Entry]]] = {
    Projects: {lists.PROJECTS: Project},
    ApiKeys: {lists.API_KEYS: ApiKey},
    ServiceAccounts: {lists.SERVICE_ACCOUNTS: ServiceAccount},
    Users: {lists.USERS: User},
    Invites: {lists.INVITES: Invite},
    AdminKeys: {lists.ADMIN_KEYS: AdminKey},
    ProjectMembers: {lists.MEMBERS: Member},
    SpendLimits: {
        lists.ORGANIZATION_LIMIT: Limit,
        lists.PROJECT_LIMIT: Limit,
        lists.ORGANIZATION_ALERTS: Alert,
        lists.PROJECT_ALERTS: Alert,
    },
}
