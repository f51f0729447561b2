"""Typed settings from the environment and `openai_costs.toml`. The only reader of either.

Not here: secrets. A connection says where its key is (secrets.py); the key itself is read at the
moment a run needs it (`admin_key`), so a rotated key is picked up by the next run.
"""

import os
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from openai_costs.kernel.errors import MissingKey, SettingsError
from openai_costs.settings import (
    Alerts,
    Anomalies,
    Budget,
    Directory,
    Gateway,
    Publish,
    Reading,
    Retention,
    Seats,
    Section,
    Storage,
    Team,
    refuse_shared,
)
from openai_costs.settings.budget_file import with_budget_file
from openai_costs.settings.connection import (
    Connection,
    ConnectionRefused,
    Kinds,
    typed_connections,
    unlisted_connection,
)
from openai_costs.settings.error_location import sentence
from openai_costs.settings.error_texts import objection
from openai_costs.settings.secrets import held_in, once_where_slow
from openai_costs.settings.section import refuse_twins
from openai_costs.settings.settings_file import content_of, file_beside
from openai_costs.settings.twins import refuse_same_payer


class Environment(BaseSettings):
    """The variables we read, apart from the keys that connections name."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    openai_costs_config: Path | None = None
    openai_costs_home: str = "./data"
    dagster_home: str = ""


class Settings(Section):
    """Everything a run needs to know."""

    home: str
    config_file: Path
    connections: tuple[Connection, ...] = Field(default=(), min_length=1)
    reading: Reading = Reading()
    teams: tuple[Team, ...] = ()
    budgets: tuple[Budget, ...] = ()
    alerts: Alerts = Alerts()
    anomalies: Anomalies = Anomalies()
    gateway: Gateway = Gateway()
    directory: Directory = Directory()
    seats: Seats = Seats()
    retention: Retention = Retention()
    publish: Publish = Publish()
    storage: Storage = Storage()
    only_connections: tuple[str, ...] = ()
    """The connections this process reads; none of them named is all of them."""

    @field_validator("connections")
    @classmethod
    def _know_one_another(cls, connections: tuple[Connection, ...]) -> tuple[Connection, ...]:
        return tuple(
            one.beside(other for other in connections if other is not one) for one in connections
        )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for kind in ("connections", "budgets", "teams"):
            refuse_twins([one.name for one in getattr(self, kind)], (kind,), kind.rstrip("s"))
        return self

    @model_validator(mode="after")
    def _belongs_to_one_team(self) -> Self:
        refuse_shared(self.teams)
        return self

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        known = {connection.name for connection in self.connections}
        teams = {team.name for team in self.teams}
        self.gateway.refuse_strangers(known)
        for number, budget in enumerate(self.budgets):
            budget.refuse_strangers(number, known, teams)
        return self

    @property
    def first_day(self) -> date:
        """The first day of the earliest connection: where the partitions start."""
        return min(connection.first_day for connection in self.connections)

    @property
    def asked_connections(self) -> tuple[Connection, ...]:
        """The connections this process reads."""
        only = self.only_connections
        return tuple(one for one in self.connections if not only or one.name in only)

    def asked_of(self, provider: str) -> list[Connection]:
        """Return the connections of a provider that this process reads."""
        return [one for one in self.asked_connections if one.provider == provider]

    def only(self, *names: str) -> "Settings":
        """Return the same settings for a process that reads some connections only; none for all.

        Raises:
            SettingsError: There is no connection of one of these names.
        """
        some = tuple(self.connection(name).name for name in names)
        return self.model_copy(update={"only_connections": some})

    def connection(self, name: str) -> Connection:
        """Return the connection of that name.

        Raises:
            SettingsError: There is none; the sentence names those there are.
        """
        for connection in self.connections:
            if connection.name == name:
                return connection
        known = ", ".join(connection.name for connection in self.connections)
        raise SettingsError(f"There is no connection {name!r}. {self.config_file} has: {known}.")

    def admin_key(self, connection: Connection) -> SecretStr:
        """Return the connection's key, read now from where the settings say that it is.

        Raises:
            MissingKey: The variable is not set or empty.
            SettingsError: The place cannot be read, or has more than a key.
        """
        if connection.is_sample or not connection.has_key:
            return SecretStr(connection.sample_key)
        place = connection.key_place
        try:
            key = held_in(place, held)
        except SettingsError as unreadable:
            raise SettingsError(f"Connection {connection.name!r}: {unreadable}") from None
        if not key:
            presence = "found" if self.config_file.exists() else "not found"
            places = [
                f"the environment variable {place}",
                f"admin_key_env in {self.config_file} ({presence})",
            ]
            raise MissingKey(connection.name, places, connection.key_remedy)
        if fault := connection.key_fault(key):
            raise SettingsError(f"Connection {connection.name!r}: the key in {place} {fault}")
        return SecretStr(key)

    def key_reader(self, connection: Connection) -> Callable[[], SecretStr]:
        """Return what reads a connection's key: at every call, or once where a program is run."""
        return once_where_slow(connection.key_place, partial(self.admin_key, connection))


def load_settings(kinds: Kinds, home: str | None = None) -> Settings:
    """Read the environment and the settings file.

    The file is the one that OPENAI_COSTS_CONFIG names, or that of the home, or else that of the
    current folder.

    Args:
        kinds: The kinds of connections there are; without a list of connections in the file, the
            first kind has one.
        home: The home, where a command names one; else that of the environment.

    Raises:
        SettingsError: The file cannot be read or says something we cannot use.
    """
    environment = Environment()
    home, path = home or environment.openai_costs_home, environment.openai_costs_config
    if path and not path.exists():
        why = f"OPENAI_COSTS_CONFIG names {path}, which does not exist. Correct or unset it."
        raise SettingsError(why)
    return settings_from(path or file_beside(home), kinds, home)


def settings_from(path: Path, kinds: Kinds, home: str) -> Settings:
    """Return the settings of a file for a home."""
    content, text = content_of(path)
    content = with_budget_file(content, path, text)
    if not content.get("connections", ()):
        content["connections"] = [unlisted_connection(kinds[0], os.environ)]
    return settings_of(content, kinds, home, path, text)


def settings_of(
    content: Mapping[str, Any], kinds: Kinds, home: str, path: Path, text: str
) -> Settings:
    """Return settings from what a settings file holds.

    Args:
        content: Its content.
        kinds: The kinds of connections there are.
        home: Where tables and raw pages are kept.
        path: The file.
        text: Its text, for the lines of messages.

    Raises:
        SettingsError: It says something we cannot use; names the setting and its line.
    """
    whole = {**content, "home": home, "config_file": path.absolute()}
    try:
        if isinstance(listed := whole.get("connections"), list):
            whole["connections"] = typed_connections(listed, kinds)
        settings = Settings.model_validate(whole)
    except ConnectionRefused as refused:
        raise SettingsError(sentence(refused.objection, path, text)) from None
    except ValidationError as broken:
        raise SettingsError(sentence(objection(broken, Settings), path, text)) from None
    places = {one.key_place for one in settings.connections}
    keys = {one: held_in(one, held) for one in places if one.kind == "env"}
    refuse_same_payer(settings.connections, keys, settings.config_file, text)
    return settings


def held(variable: str) -> str:
    """Return what a variable holds now; empty where it is not set."""
    return os.environ.get(variable, "").strip()


def has_dagster_home() -> bool:
    """Return whether DAGSTER_HOME names an instance whose UI should see headless runs."""
    return bool(dagster_home())


def dagster_home() -> str:
    """Return the folder that DAGSTER_HOME names; empty where it names none."""
    return Environment().dagster_home


def environment_with(**more: str) -> dict[str, str]:
    """Return this process's environment for a child, with some variables set."""
    return os.environ | more
