"""Judges a reading of organizations, and each table made from all readings.

One verdict a run: the tables look at all days at once. Not here: how they are made (frames.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import dagster as dg

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.formatting import dollars, listed
from openai_costs.kernel.money import total
from openai_costs.orchestration.checks import DERIVED, KNOWN_FIELDS, WARN, Rule
from openai_costs.orchestration.verdict_scope import Scope
from openai_costs.sources.organization.frames import Folded
from openai_costs.sources.organization.kinds import Kind
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.packing import Manifest

NEW_FIELDS = replace(KNOWN_FIELDS, is_daily=False)
KNOWN_IDS = Rule("known_ids", "Every id that the ledger names is in a list.", WARN, is_daily=False)
DID_NOT_SHRINK = Rule(
    "did_not_shrink", "At least half of what was listed before still is.", is_daily=False
)
READ_COMPLETE = Rule(
    "read_complete", "Every connection's directory was read to its end.", is_daily=False
)
MOST_NAMED = 5


@dataclass
class Made:
    """What became of a table.

    Args:
        kind: The table.
        folded: Each connection's rows, and what to report about them.
        broken: Why the table was left as it was; empty when it was replaced.
        unasked: Connections that are not asked for their organization.
    """

    kind: Kind
    folded: dict[str, Folded] = field(default_factory=dict)
    broken: str = ""
    unasked: frozenset[str] = frozenset()


def read_complete(
    failed: Mapping[str, OpenAICostsError],
    reads: Sequence[KeptRead | DamagedRead],
    unasked: Iterable[str],
    asked: Sequence[str],
    green: str = READ_COMPLETE.promise,
) -> dg.AssetCheckResult:
    """Judge a reading of the connections that a run asked.

    Args:
        failed: Why a connection's directory could not be read.
        reads: The reads that were kept.
        unasked: Connections that are not asked.
        asked: The connections that the verdict is about.
        green: What it says where it is green.
    """
    withheld = {
        read.manifest.connection: " ".join(
            f"{read.manifest.connection}: the provider did not give {name} ({message})."
            for name, message in not_given(read.manifest).items()
        )
        for read in reads
        if isinstance(read, KeptRead)
    }
    failures = {name: text for name, text in withheld.items() if text}
    failures |= {name: str(error) for name, error in failed.items()}
    unread = [f"{name}: not requested: access is costs_only." for name in sorted(unasked)]
    because = " ".join([*map(str, failed.values()), *filter(None, withheld.values()), *unread])
    lists = {
        f"lists not given to {read.manifest.connection}": len(read.manifest.absent)
        for read in reads
        if isinstance(read, KeptRead)
    }
    return dg.AssetCheckResult(
        passed=not failures,
        check_name=READ_COMPLETE.name,
        severity=READ_COMPLETE.severity if failed else WARN,
        description=because or green,
        metadata={**lists, **Scope(asked, failures).figures()},
    )


def not_given(manifest: Manifest) -> dict[str, str]:
    """Return the lists that no project was given, and the message instead of them."""
    given = {part.partition(".")[0] for part in manifest.parts if part.count(".") > 1}
    return {
        name.partition(".")[0] if "." in name else name: message
        for name, message in manifest.absent.items()
        if "." not in name or name.partition(".")[0] not in given
    }


def rules(kind: Kind) -> tuple[Rule, ...]:
    """Return the checks of a table."""
    shrinks = () if kind.may_empty else (DID_NOT_SHRINK,)
    return (DERIVED, NEW_FIELDS, *shrinks, *((KNOWN_IDS,) if kind.ledger else ()))


def results(made: Made) -> Iterator[dg.AssetCheckResult]:
    """Yield the verdict of each check."""
    objections = {
        DERIVED.name: _contract(made),
        NEW_FIELDS.name: _each({name: one.remark for name, one in made.folded.items()}),
        DID_NOT_SHRINK.name: _each(
            {
                name: _shrunk(made.kind, one)
                for name, one in made.folded.items()
                if name not in made.unasked
            }
        ),
        KNOWN_IDS.name: _each(
            {
                name: _unlisted(made.kind, one)
                for name, one in made.folded.items()
                if name not in made.unasked
            }
        ),
    }
    for rule in rules(made.kind):
        because = objections[rule.name]
        yield dg.AssetCheckResult(
            passed=not because,
            check_name=rule.name,
            severity=rule.severity,
            description=because or rule.promise,
            metadata=_figures(made) if rule is KNOWN_IDS else {},
        )


def _contract(made: Made) -> str:
    refused = (str(one.refused) for one in made.folded.values() if one.refused)
    return " ".join(filter(None, (*refused, made.broken)))


def _shrunk(kind: Kind, one: Folded) -> str:
    if one.shrunk is None:
        return ""
    had, has = one.shrunk
    sentence = f"{had} rows in an earlier read and {has} in the newest: more than half are missing"
    if kind.is_never_empty and not has:
        return f"{sentence}. An empty list is not believed: the table keeps what was listed last"
    return f"{sentence}. None of them counts as gone before a list of another day has as few"


def _unlisted(kind: Kind, one: Folded) -> str:
    if one.unlisted.is_empty():
        return ""
    dearest = one.unlisted.sort(["billed_usd", "id"], descending=[True, False])
    named = listed(dearest["id"].to_list(), MOST_NAMED)
    spent = dollars(total(dearest["billed_usd"]))
    kind_of = kind.table.table_name().replace("_", " ")
    return f"{kind_of} in no list: {dearest.height}, with {spent}: {named}"


def _each(sentences: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {sentence}" for name, sentence in sentences.items() if sentence)


def _figures(made: Made) -> dict[str, int]:
    return {name: one.unlisted.height for name, one in made.folded.items()}
