"""People from CSV: our own columns, those of well-known exports, or what settings name. Pure."""

from collections.abc import Iterator, Mapping

from openai_costs.settings.schema import PEOPLE_COLUMNS
from openai_costs.sources.people.people import (
    Person,
    Row,
    SetAside,
    addresses_in,
    full_name,
    joined_name,
    listed_addresses,
    person,
    status_of,
)
from openai_costs.sources.text_rows import TextRow

OURS: Mapping[str, str] = {name: name for name in PEOPLE_COLUMNS}
GOOGLE: Mapping[str, str] = {
    "email": "Email Address [Required]",
    "first_name": "First Name [Required]",
    "last_name": "Last Name [Required]",
    "aliases": "Work Secondary Email",
    "team": "Department",
    "cost_center": "Cost Center",
    "status": "Status [READ ONLY]",
}
"""The export of Google Workspace's admin console (Users > Download users)."""
ENTRA: Mapping[str, str] = {
    "person_id": "id",
    "name": "displayName",
    "first_name": "givenName",
    "last_name": "surname",
    "email": "mail",
    "aliases": "userPrincipalName",
    "team": "department",
    "status": "accountEnabled",
}
"""The export of Microsoft Entra (Users > Download users)."""
OKTA: Mapping[str, str] = {
    **OURS,
    "first_name": "firstName",
    "last_name": "lastName",
    "aliases": "login",
    "team": "department",
    "cost_center": "costCenter",
}
"""A report of Okta's users."""
WORKDAY: Mapping[str, str] = {
    "person_id": "Employee ID",
    "name": "Worker",
    "email": "Email - Work",
    "team": "Supervisory Organization",
    "cost_center": "Cost Center",
    "status": "Worker Status",
    "left_day": "Termination Date",
}
"""A report of Workday's workers with its usual names of columns."""
EXPORTS: Mapping[str, Mapping[str, str]] = {
    GOOGLE["email"]: GOOGLE,
    ENTRA["aliases"]: ENTRA,
    OKTA["first_name"]: OKTA,
    WORKDAY["status"]: WORKDAY,
}
"""Exports by a column that only they have."""


def people(rows: Iterator[TextRow], columns: Mapping[str, str]) -> Iterator[Row]:
    """Yield the people of a table, and the rows that cannot be used.

    Args:
        rows: Its rows.
        columns: The columns that settings name: ours, and the file's.
    """
    for row in rows:
        if row.fault:
            yield SetAside(row.place, row.fault, addresses_in(row.cells.values()))
            continue
        usual = next((known for head, known in EXPORTS.items() if head in row.cells), OURS)
        names = {**usual, **columns}
        yield from_cells(row, {name: row.cells.get(theirs) for name, theirs in names.items()})


def from_cells(row: TextRow, cells: Mapping[str, str | None]) -> Row:
    """Return the person of a row.

    Args:
        row: The row, for its place.
        cells: Its cells by our names of the columns.
    """
    person_id = cells.get("person_id") or cells.get("email")
    if not person_id:
        heads = ", ".join(sorted(row.cells))
        why = (
            "has neither an email nor a person_id. Name the column in [directory] columns = "
            f"{{ email = ... }}; the file has: {heads}"
        )
        return SetAside(row.place, why, addresses_in(row.cells.values()))
    status = status_of(cells.get("status"), cells.get("left_day"))
    return person(
        Person(
            place=row.place,
            person_id=person_id,
            name=full_name(
                cells.get("name"), joined_name(cells.get("first_name"), cells.get("last_name"))
            ),
            email=cells.get("email"),
            aliases=listed_addresses(cells.get("aliases")),
            team=cells.get("team"),
            cost_center=cells.get("cost_center"),
            has_left=status.has_left,
            left_day=status.left_day,
            openai_user_id=cells.get("openai_user_id"),
            remarks=status.remarks,
        )
    )
