"""People from JSON that the APIs of other directories return, saved as it came. Pure.

- Okta: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
- Microsoft Entra: https://learn.microsoft.com/en-us/graph/api/user-list
- Google Workspace: https://developers.google.com/workspace/admin/directory/reference/rest/v1/users
- GitHub: https://docs.github.com/en/rest/orgs/members
- Workday: a report as a web service (`Report_Entry`), or the workers of its REST API (`data`)
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.people.json_values import Item, is_true, items, part, text, texts
from openai_costs.sources.people.people import (
    Person,
    Row,
    SetAside,
    addresses_in,
    full_name,
    joined_name,
    person,
    status_of,
)

LISTS = ("value", "users", "Report_Entry", "data")
"""Where an object holds its people: Entra, Google, Workday's reports, Workday's API."""
MORE_PAGES = ("@odata.nextLink", "nextPageToken")
"""What an object has where more pages follow."""


def people(name: str, document: Any) -> Iterator[Row] | None:  # noqa: ANN401 - parsed JSON
    """Return the people of a known list; None where it is none of these.

    Raises:
        FileRefused: It is only a page of a list.
    """
    if isinstance(document, Mapping):
        if more := next((one for one in MORE_PAGES if document.get(one)), None):
            raise FileRefused(
                name, f"is only one page: it has {more}", "Save all pages as one list."
            )
        field = next((one for one in LISTS if isinstance(document.get(one), list)), None)
        return None if field is None else _rows(f"{name}, {field}", document[field])
    is_known = isinstance(document, list) and any(map(_reader, document))
    return _rows(f"{name}, entry", document) if is_known else None


def _rows(place: str, entries: list[Any]) -> Iterator[Row]:
    for number, entry in enumerate(entries, 1):
        if (read := _reader(entry)) is None:
            texts_in = addresses_in([str(entry)])
            yield SetAside(f"{place} {number}", "is not a user of a directory we know", texts_in)
        elif text(entry, "type") != "Bot":
            yield read(f"{place} {number}", entry)


def _reader(entry: Any) -> Callable[[str, Item], Row] | None:  # noqa: ANN401 - parsed JSON
    """Return what reads an entry, by fields that only its directory has."""
    if not isinstance(entry, Mapping):
        return None
    marks: tuple[tuple[str, Callable[[str, Item], Row]], ...] = (
        ("profile", _okta),
        ("userPrincipalName", _entra),
        ("primaryEmail", _google),
        ("login", _github),
    )
    found = (read for field, read in marks if field in entry)
    is_worker = any(_key(name) in WORKER_IDS for name in entry)
    return next(found, _workday if is_worker else None)


def _okta(place: str, user: Item) -> Row:
    profile = part(user, "profile")
    status = status_of(text(user, "status"))
    listed = Person(
        place=place,
        person_id=text(user, "id") or text(profile, "login", "email") or "",
        name=full_name(
            text(profile, "displayName"),
            joined_name(text(profile, "firstName"), text(profile, "lastName")),
        ),
        team=text(profile, "department"),
        cost_center=text(profile, "costCenter"),
        has_left=status.has_left,
        remarks=status.remarks,
    )
    return _listed(listed, *(text(profile, one) for one in ("email", "login", "secondEmail")))


def _entra(place: str, user: Item) -> Row:
    status = status_of(text(user, "accountEnabled"), text(user, "employeeLeaveDateTime"))
    proxies = (one.partition(":")[2] or one for one in texts(items(user, "proxyAddresses")))
    listed = Person(
        place=place,
        person_id=text(user, "id", "userPrincipalName") or "",
        name=full_name(
            text(user, "displayName"), joined_name(text(user, "givenName"), text(user, "surname"))
        ),
        team=text(user, "department"),
        has_left=status.has_left,
        left_day=status.left_day,
        remarks=status.remarks,
    )
    others = (*texts(items(user, "otherMails")), *(one for one in proxies if "@" in one))
    return _listed(listed, text(user, "mail"), text(user, "userPrincipalName"), *others)


def _google(place: str, user: Item) -> Row:
    name = part(user, "name")
    units = [one for one in items(user, "organizations") if isinstance(one, Mapping)]
    unit = next((one for one in units if is_true(one.get("primary"))), units[0] if units else {})
    listed = Person(
        place=place,
        person_id=text(user, "id", "primaryEmail") or "",
        name=full_name(
            text(name, "fullName", "displayName"),
            joined_name(text(name, "givenName"), text(name, "familyName")),
        ),
        team=text(unit, "department"),
        cost_center=text(unit, "costCenter"),
        has_left=any(is_true(user.get(one)) for one in ("suspended", "archived")),
    )
    lists = (items(user, one) for one in ("emails", "aliases", "nonEditableAliases"))
    others = (address for one in lists for address in texts(one, "address"))
    return _listed(listed, text(user, "primaryEmail"), *others)


def _github(place: str, user: Item) -> Row:
    listed = Person(
        place=place,
        person_id=text(user, "login", "id") or "",
        name=text(user, "name"),
        has_left=text(user, "suspended_at") is not None,
    )
    return _listed(
        listed, text(user, "email"), *texts(items(user, "organizationVerifiedDomainEmails"))
    )


WORKER_IDS = ("employeeid", "workerid", "primaryworkemail")
WORKDAY: Mapping[str, tuple[str, ...]] = {
    "person_id": ("employeeid", "workerid", "id"),
    "name": ("preferredname", "legalname", "fullname", "worker", "descriptor", "name"),
    "email": ("primaryworkemail", "workemail", "emailwork", "emailaddress", "email"),
    "team": ("supervisoryorganization", "department", "team"),
    "cost_center": ("costcenter",),
    "status": ("workerstatus", "employeestatus", "status"),
    "left_day": ("terminationdate",),
}
"""Our columns and the fields of a worker, without blanks, underscores and case."""


def _workday(place: str, worker: Item) -> Row:
    by_key = {_key(name): _descriptor(value) for name, value in worker.items()}
    cells = {name: text(by_key, *keys) for name, keys in WORKDAY.items()}
    status = status_of(cells["status"], cells["left_day"])
    listed = Person(
        place=place,
        person_id=cells["person_id"] or cells["email"] or "",
        name=cells["name"],
        team=cells["team"],
        cost_center=cells["cost_center"],
        has_left=status.has_left,
        left_day=status.left_day,
        remarks=status.remarks,
    )
    return _listed(listed, cells["email"])


def _listed(listed: Person, *addresses: str | None) -> Row:
    if not listed.person_id:
        known = addresses_in(addresses)
        return SetAside(listed.place, "has neither an id nor an e-mail address", known)
    return person(listed, [one for one in addresses if one and "@" in one])


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _descriptor(value: Any) -> Any:  # noqa: ANN401 - parsed JSON
    """Return a value; of a reference to another object its label."""
    return value.get("descriptor") if isinstance(value, Mapping) else value
