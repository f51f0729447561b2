"""Which OpenAI key a gateway sends a request with: by its token and its model. Pure.

A gateway chooses the key by the deployment that serves the model, so a token alone does not say it.
The surest first: settings declare a key for the model; the token itself names a key; settings
declare one key for the token; the token names a project. Where settings leave several keys, these
are compared as one pool (`gateway`). What is declared in a way that leaves no single answer is
`unmapped`, and nothing is judged by it. Requests without a token use what is declared for every
token; a pool that no listed token uses is one on the days and for the models of such requests. A
token that was given to another key is on the bill of the
key that it had on the day; where no list says which, it is `unmapped` too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

import polars as pl

from openai_costs.questions.model_names import undated_name
from openai_costs.settings import Upstream

DECLARED: Final = "declared_upstream"
"""The mapping of tokens whose key the settings say: settings are asked themselves."""
_LEVELS: Final = ("key", "project", "gateway", "unmapped")
"""From the most exact to none."""


class Route(NamedTuple):
    """The bill that requests are on; None where that is not known.

    Args:
        level: key, project, gateway or unmapped.
        connection: Whose bill it is.
        project_id: The project, on the levels key and project.
        api_key_id: The key, on the level key.
    """

    level: str
    connection: str | None = None
    project_id: str | None = None
    api_key_id: str | None = None


UNMAPPED: Final = Route("unmapped")


class _Token(NamedTuple):
    """What the registry says of a token, and from when until when; None where it has no end."""

    token_id: str | None
    name: str | None = None
    own: Route | None = None
    first: date | None = None
    last: date | None = None

    def counts_on(self, day: date) -> bool:
        """Return whether it says so of a day."""
        return (self.first or day) <= day <= (self.last or day)


def counts_until() -> pl.Expr:
    """Return the last day on which a row of core.gateway_tokens counts; null while it is listed.

    Rows from before there was a column for it count up to the last day they were listed on.
    """
    listed = pl.when(~pl.col("is_current")).then("last_seen_day")
    return pl.coalesce("counts_until_day", listed)


_Kind = tuple[bool, tuple[Upstream, ...]]
"""Whether tokens name a key, and the declared upstreams that fit them."""


@dataclass
class Routes:
    """What settings and the registry say together.

    Args:
        tokens: core.gateway_tokens.
        upstreams: The keys and projects that settings declare.
        own_names: The gateway's own name of a model, and the provider's.
    """

    tokens: pl.DataFrame
    upstreams: Sequence[Upstream] = ()
    own_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look once at every token and every upstream."""
        columns = ("token_id", "name", "mapping", "counts_from_day", counts_until().alias("until"))
        ids = ("upstream_connection", "openai_project_id", "openai_api_key_id")
        ordered = self.tokens.select(*columns, *ids).sort("counts_from_day", maintain_order=True)
        listed = [_token(*row) for row in ordered.rows()]
        self._tokens: dict[str | None, list[_Token]] = {}
        for token in listed:
            self._tokens.setdefault(token.token_id, []).append(token)
        self._answering = [one for one in self.upstreams if _answers(one, listed)]
        self._for_any = tuple(one for one in self._answering if one.is_for_any_token)
        self._kinds = list(self._kinds_of(listed))
        self._levels: dict[tuple[str | None, bool], dict[str, str]] = {}
        self._names: dict[str, set[str]] = {}
        for own, theirs in self.own_names.items():
            self._names.setdefault(undated_name(theirs), set()).add(undated_name(own))

    @property
    def reassigned(self) -> list[str]:
        """The tokens that were on one bill after another."""
        return [one for one, some in self._tokens.items() if one and some[1:]]

    def is_listed(self) -> pl.Expr:
        """Return whether a row's token_id is of a token that the registry has."""
        return pl.col("token_id").is_in(list(self._tokens)).fill_null(False)

    def of(
        self,
        token_id: str | None,
        model: str | None,
        day: date | None = None,
        *,
        has_nameless: bool = False,
    ) -> Route:
        """Return the bill of a token's requests to a model.

        Args:
            token_id: The token; None where the meter names none.
            model: The model's undated name.
            day: The day; only a `reassigned` token is asked for it.
            has_nameless: Whether the meter has requests of no listed token to the model that day.
        """
        known = self._tokens.get(token_id or None, [_Token(token_id or None)])
        of_day = [one for one in known if day is None or one.counts_on(day)]
        levels = self.levels(model, has_nameless=has_nameless or token_id not in self._tokens)
        bills = {self._of(one, model, levels) for one in of_day or known[-1:]}
        return bills.pop() if len(bills) == 1 else UNMAPPED

    def _of(self, token: _Token, model: str | None, levels: Mapping[str, str]) -> Route:
        found = self._route(token.own, self._fitting(token, self._answering), model)
        if found.level == "gateway" and "gateway" not in levels.values():
            return UNMAPPED  # no token uses that pool: its keys are judged one by one
        level = levels.get(found.api_key_id or found.project_id or "", found.level)
        if level == found.level:
            return found
        place = {"gateway": (self._home(found),), "project": (found.connection, found.project_id)}
        return Route(level, *place.get(level, ()))

    def _home(self, route: Route) -> str | None:
        """Return whose bill a key is on, as the token or else the settings say."""
        declared = (one.connection for one in self.upstreams if one.api_key_id == route.api_key_id)
        return route.connection or next(declared, None)

    def levels(self, model: str | None, *, has_nameless: bool = False) -> Mapping[str, str]:
        """Return the level at which each declared key or project is compared for a model, by id.

        Args:
            model: The model's undated name.
            has_nameless: Whether the meter has requests of no listed token to the model that day.
        """
        key = model, has_nameless
        if key not in self._levels:
            # What leaves open whose bill it is makes no key less exact than its own tokens do.
            is_used = has_nameless and _resolved(self._chosen(self._for_any, model)) != UNMAPPED
            kinds = [*self._kinds, (False, self._for_any)] if is_used else self._kinds
            self._levels[key] = dict(self._levels_of(model, kinds))
        return self._levels[key]

    @property
    def answering(self) -> Sequence[Upstream]:
        """The declared upstreams that some token may use: a pattern that fits none is a mistake."""
        return self._answering

    def _levels_of(self, model: str | None, kinds: Iterable[_Kind]) -> Iterator[tuple[str, str]]:
        """Yield what is declared with its level; of several levels, the least exact."""
        found: dict[str, str] = {}
        for own, fitting in kinds:
            chosen = self._chosen(fitting, model)
            if own and not _are_for_models(chosen):
                continue
            level = _resolved(chosen).level
            for one in chosen:
                ref = one.api_key_id or one.project_id or ""
                found[ref] = max(found.get(ref, level), level, key=_LEVELS.index)
        yield from found.items()

    def _route(self, own: Route | None, fitting: Sequence[Upstream], model: str | None) -> Route:
        chosen = self._chosen(fitting, model)
        if own and own.level == "key" and not _are_for_models(chosen):
            return own
        return _resolved(chosen) if chosen else own or UNMAPPED

    def _chosen(self, fitting: Sequence[Upstream], model: str | None) -> list[Upstream]:
        """Return the upstreams for a model; those that name models come before those for all."""
        named = [one for one in fitting if one.is_for_models and self._fits(one, model)]
        return named or [one for one in fitting if not one.is_for_models]

    def _fits(self, upstream: Upstream, model: str | None) -> bool:
        names = {model, *self._names.get(model, ())} if model else set()
        patterns = [undated_name(pattern) for pattern in upstream.models]
        return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)

    def _fitting(self, token: _Token, upstreams: Iterable[Upstream]) -> tuple[Upstream, ...]:
        names = [name for name in (token.token_id, token.name) if name]
        return tuple(one for one in upstreams if one.fits_token(names))

    def _kinds_of(self, listed: Sequence[_Token]) -> Iterator[_Kind]:
        """Yield the kinds of tokens there are.

        Without a registry the settings are the registry: any token may come.
        """
        kinds = [
            (bool(token.own and token.own.level == "key"), self._fitting(token, self._answering))
            for token in listed
        ]
        yield from dict.fromkeys(kinds or [(False, self._for_any)])


def _token(token_id: str, name: str | None, mapping: str, *more: Any) -> _Token:  # noqa: ANN401 - days and ids
    first, last, connection, project, key = more
    if mapping == DECLARED or not (key or project):
        return _Token(token_id, name, None, first, last)
    own = Route("key" if key else "project", connection, project, key)
    return _Token(token_id, name, own, first, last)


def _answers(upstream: Upstream, listed: Sequence[_Token]) -> bool:
    """Return whether there may be a token that uses an upstream."""
    return upstream.is_for_any_token or any(
        upstream.fits_token([name for name in (one.token_id, one.name) if name]) for one in listed
    )


def _are_for_models(chosen: Sequence[Upstream]) -> bool:
    return bool(chosen) and chosen[0].is_for_models


def _resolved(chosen: Sequence[Upstream]) -> Route:
    """Return the one bill that some upstreams leave: a key, else their project, else their pool."""
    bills = {(one.connection, one.project_id, one.api_key_id) for one in chosen}
    if len(bills) == 1:
        connection, project, key = bills.pop()
        return Route("key" if key else "project", connection, project, key)
    connections = {connection for connection, _, _ in bills}
    if len(connections) == 1 and all(key for _, _, key in bills):
        return Route("gateway", connections.pop())
    projects = {(connection, project) for connection, project, _ in bills}
    if len(projects) == 1 and (shared := projects.pop())[1]:
        return Route("project", *shared)
    return UNMAPPED
