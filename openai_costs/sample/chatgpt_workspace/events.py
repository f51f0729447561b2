"""What the sample company's people do in ChatGPT: an event for each person, product and hour.

Written hours later, in files of a few hours each; the first event of a file is the last one of the
file before it, delivered again. Code reviews belong to no person.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from openai_costs.sample.company.activity import (
    PERMILLE,
    SATURDAY,
    Rhythm,
    growth_permille,
    wobble_permille,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_costs.sample.company.fixtures import Person
    from openai_costs.sample.company.organisation import Organisation

Json = dict[str, Any]
_WRITTEN_AFTER: Final = timedelta(hours=3)
_FILE: Final = timedelta(hours=6)
_SPREAD: Final = 400
_HOURS: Final = (8, 10, 13, 15)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

# kind of tokens, credits for a million of them
_KINDS: Final = (("Input", Decimal(5)), ("Cached Input", Decimal("0.5")), ("Output", Decimal(60)))


class _Use(NamedTuple):
    person: str
    product: str
    model: str
    label: str
    thousands: tuple[int, int, int]


_USES: Final = (
    _Use("signe", "Codex", "gpt-5.6-sol", "GPT-5.6 Sol", (300, 900, 22)),
    _Use("ruben", "Codex", "gpt-5.6-sol", "GPT-5.6 Sol", (190, 410, 14)),
    _Use("ines", "Work", "gpt-5.6-sol", "GPT-5.6 Sol", (9, 0, 3)),
    _Use("olu", "Chat", "gpt-5.6-mini", "GPT-5.6 Mini", (14, 20, 4)),
)


class LogFile(NamedTuple):
    """A file of events.

    Args:
        id: its id.
        end: until when its events were written.
        body: one event a line.
    """

    id: str
    end: datetime
    body: bytes

    def entry(self) -> Json:
        """The file in the list."""
        end = self.end.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "id": self.id,
            "event_type": "COSTS",
            "end_time": end,
            "file_name": f"COSTS_{end}.jsonl",
            "file_size": len(self.body),
            "file_sha256": hashlib.sha256(self.body).hexdigest(),
        }


def log_files(organisation: Organisation, since: datetime, until: datetime) -> Iterator[LogFile]:
    """The files that end after one instant and not after another, in order; none is empty."""
    end, files = datetime.combine(since.astimezone(UTC).date(), time(), UTC), _files(organisation)
    while (end := end + _FILE) <= until:
        if end > since and (file := files(end)):
            yield file


@lru_cache(maxsize=8)
def _files(organisation: Organisation) -> Callable[[datetime], LogFile | None]:
    """What makes its files: each is kept, because each is looked for among all of them."""
    return lru_cache(maxsize=512)(partial(_file, organisation))


def _file(organisation: Organisation, end: datetime) -> LogFile | None:
    """The file that ends at an instant."""
    if not (events := _written(organisation, end)):
        return None
    again = _written(organisation, end - _FILE)[-1:]
    lines = [_ENCODER.encode(one) for one in (*again, *events)]
    return LogFile(f"log_{end:%Y%m%d%H}", end, b"\n".join(lines) + b"\n")


@lru_cache(maxsize=512)
def _written(organisation: Organisation, end: datetime) -> tuple[Json, ...]:
    """The events that were written in the hours before an instant."""
    since = end - _FILE
    days = {(since - _WRITTEN_AFTER).date(), (end - _WRITTEN_AFTER).date()}
    return tuple(
        event
        for day in sorted(days)
        for at, event in _events(organisation, day)
        if since < at + _WRITTEN_AFTER <= end
    )


def _events(organisation: Organisation, day: date) -> Iterator[tuple[datetime, Json]]:
    if not organisation.first_day <= day <= organisation.today:
        return
    for hour in _HOURS:
        at = datetime.combine(day, time(hour), UTC) + timedelta(minutes=59, seconds=59)
        for number, use in enumerate(_USES):
            size = Rhythm.OFFICE.value[day.weekday()]
            size *= growth_permille((organisation.today - day).days)
            size *= wobble_permille(_SPREAD, organisation.seed, "chatgpt", number, day, hour)
            if charges := list(_charges(use, size)):
                who = _identity(organisation, use.person)
                yield at, _event(f"evt_{day:%m%d}{hour:02}{number}", at, who, use, charges)
        if hour == _HOURS[-1] and day.weekday() < SATURDAY:
            review = {"sku": "Codex - Code review", "cost": _credits(Decimal(25))}
            review |= {"quantity": {"value": 1, "unit": "REVIEWS"}}
            use = _USES[0]._replace(model="gpt-5-codex")
            yield at, _event(f"evt_{day:%m%d}{hour:02}r", at, _NO_PERSON, use, [review])


def _charges(use: _Use, size: int) -> Iterator[Json]:
    for (kind, credits_a_million), thousands in zip(_KINDS, use.thousands, strict=True):
        if tokens := thousands * 1000 * size // PERMILLE**3:
            yield {
                "sku": f"{use.label} - {kind}",
                "quantity": {"value": tokens, "unit": "TOKENS"},
                "cost": _credits((tokens * credits_a_million).scaleb(-6)),
            }


def _credits(value: Decimal) -> Json:
    return {"value": value, "unit": "CREDITS"}


_NO_PERSON: Final[Json] = {
    "user_id": None,
    "email": None,
    "name": None,
    "groups": [],
    "agent": None,
}


def _identity(organisation: Organisation, name: str) -> Json:
    person = _person(organisation, name)
    team = {"id": person.team, "name": person.team.title()}
    ids = {"user_id": f"user-{name}", "email": person.email, "name": person.name}
    return {**ids, "groups": [team], "agent": None}


def _person(organisation: Organisation, name: str) -> Person:
    people = organisation.fixtures.people
    return next(one for one in people if one.name.casefold().startswith(name))


def _event(event_id: str, at: datetime, who: Json, use: _Use, charges: list[Json]) -> Json:
    return {
        "event_id": event_id,
        "type": "COSTS",
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "payload": {
            "day": str(at.date()),
            "hour": at.hour,
            "identity": who,
            "product": use.product,
            "surface": "web",
            "client": "chatgpt_web",
            "model": use.model,
            "service_tier": "standard",
            "reasoning": None,
            "billing": charges,
        },
    }
