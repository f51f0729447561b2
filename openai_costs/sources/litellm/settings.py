"""What settings say of a connection to a LiteLLM proxy."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, Self

from pydantic import PrivateAttr

from openai_costs.settings.connection import Connection
from openai_costs.settings.section import VariableName
from openai_costs.sources.exports.settings import host_of
from openai_costs.tables.upstreams import UPSTREAMS


class LiteLLMConnection(Connection):
    """One LiteLLM proxy with a database, and the key that sees all of it."""

    provider: Literal["litellm"] = "litellm"
    admin_key_env: VariableName = "LITELLM_ADMIN_KEY"

    key_remedy: ClassVar[str] = (
        "Create a LiteLLM key of a proxy admin, or of the role proxy_admin_viewer, and export it"
    )
    sample_key: ClassVar[str] = "sk-gateway-sample"

    _billed_by: Mapping[str, tuple[str, ...]] = PrivateAttr(default_factory=dict)

    @property
    def source_mark(self) -> Hashable:
        """The proxy: every admin's key sees all of it."""
        return None if self.is_sample else (self.provider, self.base_url.rstrip("/"))

    @property
    def billed_by(self) -> Mapping[str, tuple[str, ...]]:
        """The upstreams that have connections of their own: LiteLLM's word, and the connections."""
        return MappingProxyType(dict(self._billed_by))

    def beside(self, others: Iterable[Connection]) -> Self:
        """Return the same connection, which knows the bills that its upstreams have here."""
        bills = defaultdict[str, list[str]](list)
        for one in others:
            for upstream in UPSTREAMS.get(host_of(one) or one.provider, ()):
                bills[upstream].append(one.name)
        mine = self.model_copy()
        mine._billed_by = {  # noqa: SLF001 - our own copy
            upstream: tuple(names) for upstream, names in bills.items()
        }
        return mine


def bills_of_upstreams(connection: Connection) -> Mapping[str, tuple[str, ...]]:
    """Return which connections bill the upstreams of a proxy, by LiteLLM's word for an upstream."""
    return connection.billed_by if isinstance(connection, LiteLLMConnection) else {}
