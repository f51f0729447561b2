"""What `openai-costs verify` prints: whether every settled day ties out, and where it does not."""

from collections.abc import Iterator, Sequence
from typing import Any

from openai_costs.cli.stored_damage import MOST_FILES
from openai_costs.kernel.formatting import counted, exact_dollars, listed
from openai_costs.outputs.publish.verification import Verified
from openai_costs.questions.spend.verification import remedy
from openai_costs.storage.slices import Slice

REBUILD = "Rebuild the tables from the kept pages: `openai-costs backfill --offline`."


def lines(verified: Verified, home: str, damaged: Sequence[str] = ()) -> Iterator[str]:
    """Yield what a person reads, after what is damaged in the home."""
    if verified.settled.is_empty() and damaged:
        why = "no control total of a settled day could be read"
        yield f"No day of {home} was verified: {why}. {REBUILD}"
        return
    if verified.settled.is_empty():
        yield (
            f"There is no settled day in {home}: nothing to verify. "
            "Run openai-costs backfill first, or name another home with --home."
        )
        return
    for key, reason in verified.refused.items():
        yield refused_text(key, reason)
    yield from verified.unreadable
    yield from verified.causes
    days = counted(verified.settled.height, "settled day")
    for name in verified.unread:
        yield f"The kept pages of {name} were not read: the settings have no such connection."
    if verified.holds:
        pages = "" if verified.unread else "kept pages, "
        encrypted, plain = "lake and encrypted database", "lake, database and Parquet copies"
        published = encrypted if verified.is_encrypted else plain
        yield (
            f"{days} from {verified.days} tie out, {exact_dollars(verified.billed_usd)} in all: "
            f"{pages}{published} agree with the control totals, "
            "difference 0."
        )
        return
    found = f"{counted(verified.problems, 'problem')} in {days}."
    late = verified.behind
    again = remedy(verified.differences, verified.refused, late.torn, late.unmade)
    yield f"{found} {again or REBUILD}"


def refused_text(key: Slice, reason: str) -> str:
    """Return that the newest kept page of a day cannot be used, and why."""
    return (
        f"{key.day}, connection {key.connection}: the newest kept page cannot be used, so the "
        f"tables are of an older read. {reason}"
    )


def foreign_lines(files: list[str]) -> Iterator[str]:
    """Yield which files below the home are not this project's: no sum has anything of them."""
    if files:
        texts = listed(files, MOST_FILES, "file")
        yield f"Foreign files, not read and no part of any sum: {texts}."


def as_json(verified: Verified, foreign: Sequence[str] = ()) -> dict[str, Any]:
    """Return the same for programs; amounts are decimal text."""
    return {
        "settled_days": verified.settled.height,
        "billed_usd": f"{verified.billed_usd:f}",
        "ties_out": verified.holds,
        "differences": [
            {
                "place": one.place,
                "table": one.table,
                "connection": one.connection,
                "day": str(one.day),
                "expected_usd": f"{one.expected_usd:f}",
                "found_usd": None if one.found_usd is None else f"{one.found_usd:f}",
            }
            for one in verified.differences
        ],
        "days_without_tables": [
            {"connection": one.connection, "day": str(one.day)}
            for one in sorted(verified.behind.unmade)
        ],
        "unreadable": [*verified.refused.values(), *verified.unreadable],
        "unread_connections": verified.unread,
        "foreign_files": list(foreign),
    }
