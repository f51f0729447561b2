"""Whose costs the smaller vendors' reads have: by what was asked for, by ids, or by the settings.

A reading here is what a run does before any table is made: reader, accounts, archive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from upath import UPath

from openai_costs.definitions import reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import ProviderUnavailable
from openai_costs.sample.api.serving import sample_address
from openai_costs.sample.vendors import VENDORS
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import NOTE, noted, refusal
from openai_costs.sources.accounts import Accounts
from openai_costs.sources.due_days import due_days, first_day
from openai_costs.sources.ingest import Ingested, ingest, sources
from openai_costs.sources.provider import Reach
from openai_costs.sources.registry import PROVIDERS
from openai_costs.storage.archive import Archive, DayRead
from openai_costs_tests.org import NOW, Altered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from openai_costs.settings.connection import Connection
    from openai_costs.sources.provider import Tell

LAST = NOW.date() - timedelta(days=1)
DAYS = DayRange(LAST - timedelta(days=2), LAST)
ADDRESS = sample_address(seed=7, days=60, today=NOW.date())
LONG = timedelta(days=40)
PROVIDER = {one.name: one for one in PROVIDERS}
ORGANIZATION = {one.provider: one.organization_id or None for one in VENDORS}
OTHER = {
    "github_copilot": {"tidewater-maps": "heron-maps"},
    "chatgpt_workspace": {"org-tidewaterchat": "org-heronchat"},
    "litellm": {'"gw_': '"heron_'},
    "openrouter": {'"ws-': '"heron-'},
}
"""The words of the sample that another organization has others for."""
asked_by_name = pytest.mark.parametrize("provider", ["github_copilot", "chatgpt_workspace"])
every_vendor = pytest.mark.parametrize("provider", sorted(OTHER))


def connected(provider: str, name: str = "one", organization: str | None = None) -> Connection:
    return PROVIDER[provider].connection.model_validate(
        {
            "name": name,
            "base_url": ADDRESS,
            "organization_id": organization or ORGANIZATION[provider],
            **({"usd_per_credit": "0.04"} if provider == "chatgpt_workspace" else {}),
        }
    )


@dataclass(frozen=True)
class AsOther(httpx.BaseTransport):
    """The sample's wire as that of another organization."""

    inner: httpx.BaseTransport
    words: Mapping[str, str]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        for ours, theirs in self.words.items():
            url = url.replace(theirs, ours)
        asked = httpx.Request(request.method, url, headers=request.headers)
        response = self.inner.handle_request(asked)
        response.read()
        content = response.content
        for ours, theirs in self.words.items():
            content = content.replace(ours.encode(), theirs.encode())
        kept = {name: text for name, text in response.headers.items() if name == "location"}
        return httpx.Response(response.status_code, headers=kept, content=content)


@dataclass
class Home:
    """The reads below a folder, and what readings said."""

    folder: Path
    now: datetime = NOW
    told: list[str] = field(default_factory=list)
    others: tuple[Connection, ...] = ()
    """Connections of other providers in the settings."""

    @property
    def archive(self) -> Archive:
        return Archive(UPath(self.folder))

    def settings(self, *connections: Connection) -> Settings:
        return Settings(
            home=str(self.folder),
            config_file=self.folder / "none.toml",
            connections=(*self.others, *connections),
        )

    def read(
        self,
        *connections: Connection,
        words: Mapping[str, str] | None = None,
        days: DayRange = DAYS,
        wire: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None,
    ) -> Ingested:
        """Read every connection, which are all of the settings."""
        settings, usual = self.settings(*connections), reach_of(lambda: self.now)

        def inner(one: Connection) -> httpx.BaseTransport | None:
            found = usual.inner(one)
            assert found
            return Altered(found, wire) if wire else AsOther(found, words or {})

        (provider,) = {one.provider for one in connections}
        costs = PROVIDER[provider].costs
        accounts = Accounts(settings, self.archive, costs)
        reader = costs.pages.reader(settings, self.archive, lambda: self.now, Reach(inner))

        def read_days(one: Connection, tell: Tell) -> Iterable[DayRead]:
            return reader.read(one, days, tell)

        def admit(one: Connection, reads: Iterable[DayRead]) -> Iterable[DayRead]:
            return accounts.checked(one, reads, self.told.append)

        found = sources(read_days, connections, days, admit)
        return ingest(found, self.archive, self.told.append)

    def usd(self, provider: str) -> dict[str, Decimal]:
        """Dollars of the newest reads, by connection."""
        costs, found = PROVIDER[provider].costs, dict[str, Decimal]()
        for name in self.archive.connections(provider):
            reads = costs.pages.newest(self.archive, connected(provider, name), [*DAYS])
            for batch in costs.ledger(reads, connected(provider, name)):
                found[name] = found.get(name, Decimal(0)) + batch.frame["billed_usd"].sum()
        return {name: usd for name, usd in found.items() if usd}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def is_whole(done: Ingested) -> bool:
    return not done.failed and all(set(kept) == {*DAYS} for kept in done.kept.values())


@every_vendor
def test_a_connection_under_a_new_name_goes_on_with_the_days_of_the_old_one(
    home: Home, provider: str
) -> None:
    assert is_whole(home.read(connected(provider, "former")))
    before = home.usd(provider)
    assert is_whole(home.read(connected(provider, "renamed")))
    assert home.usd(provider) == {"renamed": before["former"]}
    assert any("continued as renamed, and counted once" in line for line in home.told)


@every_vendor
def test_a_home_from_before_accounts_were_noted_goes_on_and_is_renamed_too(
    home: Home, provider: str
) -> None:
    home.read(connected(provider, "former"))
    before = home.usd(provider)
    home.archive.note(provider, "former", NOTE).unlink()
    assert is_whole(home.read(connected(provider, "former")))
    home.archive.note(provider, "former", NOTE).unlink()
    assert is_whole(home.read(connected(provider, "renamed")))
    assert home.usd(provider) == {"renamed": before["former"]}


@every_vendor
def test_another_organization_than_that_of_the_stored_days_changes_nothing(
    home: Home, provider: str
) -> None:
    home.read(connected(provider))
    before = home.usd(provider)
    words = OTHER[provider]
    other = connected(provider, organization=words.get(str(ORGANIZATION[provider])))
    done = home.read(other, words=words)
    assert done.is_nothing
    assert not done.may_succeed_later
    assert home.usd(provider) == before
    assert "Nothing was changed." in refusal(home.archive, home.settings(other), other)


@asked_by_name
def test_the_sentence_about_another_organization_names_both_and_what_to_do(
    home: Home, provider: str
) -> None:
    home.read(connected(provider))
    ((ours, theirs),) = OTHER[provider].items()
    done = home.read(connected(provider, organization=theirs), words=OTHER[provider])
    assert str(done.failed["one"]) == (
        f"Connection 'one': this key reads {theirs}, but its stored days are of {ours}. Nothing "
        f"was changed. Use a key and an organization_id of {ours}, or give {theirs} a connection "
        "of its own."
    )


def test_an_organization_of_github_in_other_letters_is_the_same(home: Home) -> None:
    home.read(connected("github_copilot"))
    capital = connected("github_copilot", organization="Tidewater-Maps")
    assert is_whole(home.read(capital, words={"tidewater-maps": "Tidewater-Maps"}))
    renamed = connected("github_copilot", "renamed")
    assert is_whole(home.read(renamed))
    assert home.archive.connections("github_copilot") == ["renamed"]


@asked_by_name
def test_two_organizations_are_two_connections(home: Home, provider: str) -> None:
    home.read(connected(provider))
    ((_, theirs),) = OTHER[provider].items()
    assert is_whole(
        home.read(connected(provider, "two", organization=theirs), words=OTHER[provider])
    )
    assert home.archive.connections(provider) == ["one", "two"]


def test_one_proxy_under_two_addresses_is_counted_once_and_named(home: Home) -> None:
    one = connected("litellm")
    home.read(one)
    before = home.usd("litellm")
    done = home.read(one, two := connected("litellm", "two"))
    assert home.usd("litellm") == before
    assert "which 'one' reads too: it is counted once, as 'one'." in str(done.failed["two"])
    assert refusal(home.archive, home.settings(one, two), two)


def test_two_proxies_are_two_connections(home: Home) -> None:
    home.read(connected("litellm"))
    home.read(connected("litellm", "two"), words=OTHER["litellm"])
    assert sorted(home.usd("litellm")) == ["one", "two"]


def test_two_proxies_that_have_a_key_in_common_are_two_connections(home: Home) -> None:
    home.read(connected("litellm"))
    some = OTHER["litellm"] | {'"heron_desk_prod': '"gw_desk_prod'}
    home.read(connected("litellm", "two"), words=some)
    assert sorted(home.usd("litellm")) == ["one", "two"]


def test_two_proxies_of_two_organizations_by_the_settings_are_two_whatever_their_keys(
    home: Home,
) -> None:
    one, two = (connected("litellm", name, organization=f"of-{name}") for name in ("one", "two"))
    assert is_whole(home.read(one, two))
    assert sorted(home.usd("litellm")) == ["one", "two"]


def test_a_name_goes_to_another_provider_once_the_days_under_it_have_another_one(
    home: Home,
) -> None:
    home.read(connected("openrouter", "ai"))
    done = home.read(connected("litellm", "ai"))
    assert str(done.failed["ai"]) == (
        "Connection 'ai': it reads litellm, but the stored days of this name are of openrouter. "
        "Nothing was changed. Give it a name that no connection had."
    )
    assert home.archive.days("litellm", "ai", "costs") == []
    home.others = (connected("litellm", "ai"),)
    assert is_whole(home.read(connected("openrouter", "main")))
    assert home.archive.connections("openrouter") == ["main"]
    home.others = (connected("openrouter", "main"),)
    assert is_whole(home.read(connected("litellm", "ai")))


# Where neither pages nor requests say whose costs they are.


def without_ids(_request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """OpenRouter's activity without workspaces."""
    response.read()
    rows = msgspec.json.decode(response.content)["data"]
    for row in rows:
        row.pop("workspace_id", None)
    return httpx.Response(200, content=msgspec.json.encode({"data": rows}))


def test_without_any_id_the_settings_say_whose_days_a_renamed_connection_continues(
    home: Home,
) -> None:
    home.read(connected("openrouter", "former", "acme"), wire=without_ids)
    assert is_whole(home.read(connected("openrouter", "renamed", "acme"), wire=without_ids))
    assert home.archive.connections("openrouter") == ["renamed"]


def test_without_any_id_another_name_in_the_settings_is_another_organization(home: Home) -> None:
    home.read(connected("openrouter", organization="acme"), wire=without_ids)
    before = home.usd("openrouter")
    done = home.read(connected("openrouter", organization="heron"), wire=without_ids)
    assert "the settings say heron, but its stored days are of acme" in str(done.failed["one"])
    assert home.usd("openrouter") == before


def test_without_any_id_and_without_a_name_nothing_is_known_and_all_is_read(home: Home) -> None:
    assert is_whole(home.read(connected("openrouter"), wire=without_ids))
    assert is_whole(home.read(connected("openrouter", "two"), wire=without_ids))
    assert home.archive.connections("openrouter") == ["one", "two"]


def test_a_corrected_name_is_accepted_once_ids_say_more_than_a_name(home: Home) -> None:
    home.read(connected("openrouter", organization="acme-typo"), wire=without_ids)
    assert is_whole(home.read(connected("openrouter", organization="acme")))
    known = noted(home.archive, "openrouter", "one")
    assert known is not None
    assert (known.account, known.is_of_pages) == ("acme", False)


@pytest.mark.parametrize("organization", ["acme", None])
def test_days_that_were_complete_before_a_reading_broke_off_are_kept(
    home: Home, organization: str | None
) -> None:
    one = connected("openrouter", organization=organization)
    accounts = Accounts(home.settings(one), home.archive, PROVIDER["openrouter"].costs)

    def reads() -> Iterator[DayRead]:
        body = {"ledger": b'{"data":[]}', "control": b'{"data":[]}'}
        yield DayRead("openrouter", "one", "costs", LAST, NOW, {}, body)
        raise ProviderUnavailable("one", "/activity", "HTTP 503")

    admitted = accounts.checked(one, reads(), home.told.append)
    assert next(admitted).day == LAST
    with pytest.raises(ProviderUnavailable):
        next(admitted)


@pytest.mark.parametrize("provider", ["chatgpt_workspace", "openrouter"])
def test_a_renamed_connection_keeps_the_days_that_its_provider_has_deleted_since(
    home: Home, provider: str
) -> None:
    home.now, long_ago = NOW - LONG, DayRange(DAYS.first - LONG, DAYS.last - LONG)
    home.read(connected(provider, "former"), days=long_ago)
    home.now = NOW
    home.read(renamed := connected(provider, "renamed"))
    pages = PROVIDER[provider].costs.pages
    assert pages.first_day(home.archive, renamed) > long_ago.last
    assert first_day(pages, home.archive, renamed) == long_ago.first
    (due,) = due_days(home.settings(renamed), home.now).values()
    assert due >= {*long_ago}
