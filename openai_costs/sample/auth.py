"""Who may read what: admin keys with the scope, nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_costs.sample.options import NO_SCOPE_ADMIN_KEY, USAGE_ONLY_ADMIN_KEY
from openai_costs.sample.refusals import FORBIDDEN, UNAUTHORISED, RefusalError, missing_scopes

if TYPE_CHECKING:
    from openai_costs.sample.options import WireOptions

USAGE_SCOPE: Final = "api.usage.read"
MANAGEMENT_SCOPE: Final = "api.management.read"
_PROJECT_KEY_PREFIXES: Final = ("sk-proj-", "sk-svcacct-")


def authorise(header: str | None, options: WireOptions, scope: str) -> None:
    """Pass an `Authorization` header whose admin key has the scope; raise the vendor's refusal.

    A refusal never repeats the key it was given.
    """
    scheme, _, key = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise RefusalError(UNAUTHORISED, "No API key was sent: use Authorization: Bearer KEY.")
    if key in options.admin_keys or (key == USAGE_ONLY_ADMIN_KEY and scope == USAGE_SCOPE):
        return
    if key in (NO_SCOPE_ADMIN_KEY, USAGE_ONLY_ADMIN_KEY):
        raise missing_scopes(FORBIDDEN, scope)
    if key.startswith(_PROJECT_KEY_PREFIXES):
        raise missing_scopes(UNAUTHORISED, scope)
    raise RefusalError(UNAUTHORISED, "The API key is not valid.", code="invalid_api_key")
