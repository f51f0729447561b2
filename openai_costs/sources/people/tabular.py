"""People from CSV: our own columns, Google Workspace's, or whatever settings name. Pure."""

from collections.abc import Iterator, Mapping

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.people.people import Person, addresses, day, has_left
from openai_costs.sources.text_rows import TextRow

OURS: Mapping[str, str] = {
    "person_id": "person_id",
    "name": "name",
    "email": "email",
    "aliases": "aliases",
    "team": "team",
    "cost_center": "cost_center",
    "status": "status",
    "left_day": "left_day",
    "openai_user_id": "openai_user_id",
}
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


def people(rows: Iterator[TextRow], said: Mapping[str, str]) -> Iterator[Person]:
    """Yield the people of a table.

    Args:
        rows: Its rows.
        said: The columns that settings name, ours first.

    Raises:
        FileRefused: A row has neither an id nor an address, or a cell that cannot be used.
    """
    for row in rows:
        is_google = GOOGLE["email"] in row.cells
        columns = {**(GOOGLE if is_google else OURS), **said}
        yield _person(row, {name: row.cells.get(theirs) for name, theirs in columns.items()})


def _person(row: TextRow, cells: Mapping[str, str | None]) -> Person:
    email = cells.get("email")
    person_id = cells.get("person_id") or email
    if not person_id:
        heads = ", ".join(sorted(row.cells))
        remedy = f"Name the column in [directory] columns = {{ email = ... }}; there are: {heads}."
        raise FileRefused(row.place, "has neither an email nor a person_id", remedy)
    whole_name = f"{cells.get('first_name') or ''} {cells.get('last_name') or ''}".strip()
    return Person(
        place=row.place,
        person_id=person_id,
        name=cells.get("name") or whole_name,
        email=email,
        aliases=addresses(cells.get("aliases")),
        team=cells.get("team"),
        cost_center=cells.get("cost_center"),
        has_left=has_left(row.place, cells.get("status") or ""),
        left_day=day(row.place, cells.get("left_day")),
        openai_user_id=cells.get("openai_user_id"),
    )
