"""Whatever a page of any provider says is used or refused in a sentence, and so is any answer.

The pages are those that the sample company's accounts give, a day each, of every provider that is
registered; an input is one of them with a part that is missing, odd, doubled or broken.
`OPENAI_COSTS_FUZZ=100000 .venv/bin/pytest openai_costs_tests/test_any_page.py` asks for more pages,
a fifth as many answers and a tenth as many files; `OPENAI_COSTS_FUZZ=8500:100000` goes on from
input 8,500. An input is the same in every run, as long as the sample company is.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx
import pytest
import stamina
from upath import UPath

from openai_costs.definitions import reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.sample.accounts import EVERY_PROVIDER
from openai_costs.sample.setup import Wanted, company
from openai_costs.sources.organization.frames import usable
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.sources.provider import RawPages, Reach, silent
from openai_costs.sources.registry import PROVIDERS, connection_kinds, provider_of
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs.storage.files import place
from openai_costs_tests.org import NOW
from openai_costs_tests.test_any_input import INPUTS, ODD, is_sentence

if TYPE_CHECKING:
    from openai_costs.settings.connection import Connection
    from openai_costs.settings.load import Settings

DAY: Final = NOW.date() - timedelta(days=3)
VALUES: Final = (*ODD, None, True, -1, 0, 1e308, 10**40, [], {}, [[]], {"": None}, "x" * 300)


class Sample(NamedTuple):
    """A read of a day.

    Args:
        connection: Of which connection.
        pages: Of which pages.
        read: What was read.
    """

    connection: Connection
    pages: RawPages
    read: DayRead


class Answers(httpx.BaseTransport):
    """The sample's answers, noted by request, so that they can be given again."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner, self.known = inner, dict[str, tuple[int, bytes, dict[str, str]]]()
        self.random: Random | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        address = str(request.url)
        if address not in self.known:
            given = self.inner.handle_request(request)
            headers = {k: v for k, v in given.headers.items() if k in ("content-type", "location")}
            self.known[address] = given.status_code, given.read(), headers
        status, body, headers = self.known[address]
        if self.random is not None and self.random.random() < 0.5:
            body = changed(body, self.random)
        return httpx.Response(status, content=body, headers=headers, request=request)


class There(NamedTuple):
    """The company, and what its accounts gave for a day."""

    settings: Settings
    reach: Reach
    answers: dict[str, Answers]
    samples: list[Sample]

    def read(self, connection: Connection, pages: RawPages) -> list[DayRead]:
        archive = Archive(place(self.settings.home))
        reader = pages.reader(self.settings, archive, lambda: NOW, self.reach)
        return list(reader.read(connection, DayRange(DAY, DAY), silent))


def pages_of(connection: Connection) -> Iterator[RawPages]:
    one = provider_of(connection)
    parts = (one.costs, one.usage_of(connection), one.organization_of(connection))
    yield from {part.pages.key: part.pages for part in parts if part is not None}.values()


@contextmanager
def read_company(home: Path) -> Iterator[There]:
    """The company, a day of whose accounts is read."""
    wanted = Wanted(days=8, providers=EVERY_PROVIDER)
    made = company(home, wanted, now=NOW, kinds=connection_kinds())
    for name, content in made.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    usual, answers = reach_of(lambda: NOW), dict[str, Answers]()

    def inner(one: Connection) -> httpx.BaseTransport | None:
        if one.name not in answers and (found := usual.inner(one)):
            answers[one.name] = Answers(found)
        return answers.get(one.name)

    found = There(made.settings, Reach(inner, attempts=1), answers, [])
    with stamina.set_testing(True, attempts=1):
        for one in made.settings.connections:
            for pages in pages_of(one):
                found.samples.extend(Sample(one, pages, read) for read in found.read(one, pages))
        yield found


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    with read_company(tmp_path_factory.mktemp("company")) as found:
        yield found


def changed(body: bytes, random: Random) -> bytes:
    """Return a body that is broken in one place, or says something else there."""
    try:
        value = json.loads(body)
    except ValueError:
        return broken(body, random)
    if random.random() < 0.2 or not isinstance(value, dict | list):
        return broken(body, random)
    holder, key = place_in(value, random)
    odd = random.choice(VALUES)
    change = random.randrange(5)
    if change == 0:
        del holder[key]
    elif change == 1 and isinstance(holder, list):
        holder.insert(0, holder[key])
    elif change == 2 and isinstance(holder, dict):
        holder[str(odd)] = holder.pop(key)
    else:
        holder[key] = odd
    return json.dumps(value).encode("utf-8", "surrogatepass")


def broken(body: bytes, random: Random) -> bytes:
    at = random.randrange(len(body) + 1)
    noise = random.choice((b"", b"\0", b"\xff\xfe", b"}", b'"', b"[" * 3000, random.randbytes(3)))
    return body[:at] + noise + (body[at + 1 :] if random.random() < 0.7 else b"")


def place_in(value: Any, random: Random) -> tuple[Any, Any]:  # noqa: ANN401 - any JSON
    """Return a holder and a key of it, anywhere in a value that is not empty."""
    places: list[tuple[Any, Any]] = []
    rest = [value]
    while rest and len(places) < 400:
        one = rest.pop(random.randrange(len(rest)))
        keys = [*one] if isinstance(one, dict) else [*range(len(one))]
        places += [(one, key) for key in keys]
        rest += [one[key] for key in keys if isinstance(one[key], dict | list)]
    return random.choice(places) if places else ([None], 0)


def use(sample: Sample, bodies: dict[str, bytes], settings: Settings) -> Iterator[Exception]:
    """Make everything that is made of a read; yield what is refused."""
    manifest = sample.read.manifest()
    read = KeptRead(UPath("raw/a-day"), manifest, bodies)
    one, connection = provider_of(sample.connection), sample.connection
    costs, usage, organization = one.costs, one.usage, one.organization
    batches: list[Any] = []
    if sample.pages is costs.pages:
        batches += costs.ledger([read], connection)
        batches += costs.by_user([read], connection) if costs.by_user else []
        grace = settings.reading.grace
        batches += costs.control([read], connection, grace) if costs.control else []
        for ids in (costs.accounts, costs.owned_ids):
            try:
                ids(read)
            except OpenAICostsError as refused:
                yield refused
    if usage is not None and sample.pages is usage.pages:
        batches += usage.usage([read], connection)
    for batch in batches:
        yield from batch.refused.values()
    if organization is not None and sample.pages is organization.pages:
        found = usable(KINDS, organization.listing, [read])
        yield from (one.refused for one in found.values() if one.refused is not None)


def part(divisor: int, least: int) -> range:
    """Return the numbers of one in so many inputs, and of so many at least."""
    first = INPUTS.start // divisor
    return range(first, max(INPUTS.stop // divisor, first + least))


def test_there_are_pages_of_every_provider(there: There) -> None:
    assert {one.connection.provider for one in there.samples} == {one.name for one in PROVIDERS}


def use_changed(there: There, random: Random, about: str) -> None:
    """Use a page of any provider that is changed in a place."""
    sample = random.choice(there.samples)
    bodies = dict(sample.read.bodies)
    name = random.choice(sorted(bodies))
    bodies[name] = changed(bodies[name], random)
    try:
        for refused in use(sample, bodies, there.settings):
            is_sentence(refused)
    except Exception as fault:
        where = f"{about}: {sample.pages.key.to_user_string()}, part {name}"
        raise AssertionError(where) from fault


def test_any_page_of_any_provider_is_used_or_refused_in_a_sentence(there: There) -> None:
    for number in INPUTS:
        use_changed(there, Random(number), f"input {number}")  # noqa: S311 - the same each time


def test_any_answer_of_any_provider_is_kept_or_ends_in_a_sentence(there: There) -> None:
    asked = sorted({(one.connection.name, one.pages.key.to_user_string()) for one in there.samples})
    by_name = {(one.connection.name, one.pages.key.to_user_string()): one for one in there.samples}
    by_wire = [one for one in asked if one[0] in there.answers]
    for number in part(5, len(by_wire)):
        random = Random(number)  # noqa: S311 - the same inputs each time
        sample = by_name[by_wire[number % len(by_wire)]]
        answers = there.answers[sample.connection.name]
        answers.random = random
        try:
            there.read(sample.connection, sample.pages)
        except OpenAICostsError as refused:
            is_sentence(refused)
        except Exception as fault:
            where = f"input {number}: {sample.pages.key.to_user_string()}"
            raise AssertionError(where) from fault
        finally:
            answers.random = None


def test_any_file_of_a_bill_is_read_or_refused_in_a_sentence(there: There) -> None:
    by_file = [one for one in there.samples if hasattr(one.connection, "files")]
    folder = Path(there.settings.home)
    for number in part(10, 2 * len(by_file)):
        random = Random(number)  # noqa: S311 - the same inputs each time
        sample = by_file[number % len(by_file)]
        where = folder / sample.connection.files[0]  # type: ignore[attr-defined]
        file = random.choice(sorted(one for one in where.rglob("*") if one.is_file()))
        before = file.read_bytes()
        file.write_bytes(altered(file.name, before, random))
        try:
            there.read(sample.connection, sample.pages)
        except OpenAICostsError as refused:
            is_sentence(refused)
        except Exception as fault:
            raise AssertionError(f"input {number}: {file}") from fault
        finally:
            file.write_bytes(before)


def altered(name: str, content: bytes, random: Random) -> bytes:
    """Return a file that is broken in one place, or has another cell there."""
    if random.random() < 0.2 or name.endswith(".parquet"):
        return broken(content, random)
    packed = name.endswith(".gz")
    text = gzip.decompress(content) if packed else content
    if name.endswith(".json"):
        return changed(text, random)
    lines = text.decode().split("\n")
    at = random.randrange(len(lines))
    cells = lines[at].split(",")
    cells[random.randrange(len(cells))] = str(random.choice(VALUES))
    lines[at] = ",".join(cells)
    after = "\n".join(lines).encode("utf-8", "surrogatepass")
    return gzip.compress(after, 1) if packed else after
