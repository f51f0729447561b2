"""The vendors at which the sample company has an account besides OpenAI and Anthropic.

Each answers at a base path of its own, by its own wire (a folder each).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.api.gateway import VIEWER_KEY
from openai_costs.sample.chatgpt_workspace import routes as chatgpt_workspace
from openai_costs.sample.github_copilot import routes as github_copilot
from openai_costs.sample.openrouter import routes as openrouter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.routing import Route

    from openai_costs.sample.company.organisation import Organisation


class Vendor(NamedTuple):
    """A vendor's wire.

    Args:
        name: what a person calls it.
        provider: the provider of a connection to it, and its variable.
        variable: the variable of the key.
        key: the company's key.
        root: its base path.
        routes: makes its routes from the company and a clock.
        organization_id: the company's name there, where a connection needs it.
    """

    name: str
    provider: str
    variable: str
    key: str
    root: str
    routes: Callable[[Organisation, Callable[[], datetime]], Iterator[Route]]
    organization_id: str = ""


def _of_the_gateway(_organisation: Organisation, _now: Callable[[], datetime]) -> Iterator[Route]:
    """No route of its own: the company's gateway answers (sample/api/gateway.py)."""
    return iter(())


VENDORS: Final = (
    Vendor(
        "ChatGPT",
        "chatgpt_workspace",
        "CHATGPT_ADMIN_KEY",
        chatgpt_workspace.ADMIN_KEY,
        chatgpt_workspace.ROOT,
        chatgpt_workspace.chatgpt_routes,
        chatgpt_workspace.ORGANIZATION_ID,
    ),
    Vendor(
        "LiteLLM, the gateway as a provider",
        "litellm",
        "LITELLM_ADMIN_KEY",
        VIEWER_KEY,
        "",
        _of_the_gateway,
    ),
    Vendor(
        "OpenRouter",
        "openrouter",
        "OPENROUTER_MANAGEMENT_KEY",
        openrouter.MANAGEMENT_KEY,
        openrouter.ROOT,
        openrouter.openrouter_routes,
    ),
    Vendor(
        "GitHub Copilot",
        "github_copilot",
        "GITHUB_COPILOT_TOKEN",
        github_copilot.PERSONAL_TOKEN,
        github_copilot.ROOT,
        github_copilot.copilot_routes,
        github_copilot.ORGANIZATION,
    ),
)


def vendor_routes(organisation: Organisation, now: Callable[[], datetime]) -> Iterator[Route]:
    """The routes of all of them."""
    for vendor in VENDORS:
        yield from vendor.routes(organisation, now)
