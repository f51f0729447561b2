"""A model whose successor costs less for the same tokens. Pure.

The list of successors is short: the replacement that the vendor recommends, or the next generation
of the same size. https://developers.openai.com/api/docs/deprecations
"""

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import dollars
from openai_costs.questions.optimization.facts import MIN_SAVING_USD, Facts, Saving
from openai_costs.questions.optimization.list_cost import Mix, cost, token_prices, worked_out
from openai_costs.questions.prices.catalogue import STANDARD
from openai_costs.questions.prices.price_lists import find_model

RULE: Final = "optimization.cheaper_successor"


class Successor(NamedTuple):
    """What replaces a model, since when, and on whose word."""

    model: str
    since: date
    why: str


_RECOMMENDED: Final = "the vendor's recommended replacement"
_NEXT: Final = "the next generation of the same size"
_LUNA: Final = Successor("gpt-6-luna", date(2026, 10, 14), _RECOMMENDED)
# By the catalogue's name of the older model.
SUCCESSORS: Final = {
    "gpt-4o": _LUNA,
    "gpt-4o-mini": _LUNA,
    "gpt-4.1": _LUNA,
    "gpt-4.1-mini": _LUNA,
    "gpt-5.6-luna": Successor("gpt-6-luna", date(2026, 9, 22), _NEXT),
    "gpt-5.6-terra": Successor("gpt-6.1-terra", date(2026, 10, 26), _NEXT),
    "gpt-5.6-sol": Successor("gpt-6.1-sol", date(2026, 9, 29), _NEXT),
    "gpt-6-sol": Successor("gpt-6.1-sol", date(2026, 9, 29), _NEXT),
}


def cheaper_successor(facts: Facts) -> Iterator[Saving]:
    """Yield the projects and models whose tokens cost less with the model's successor."""
    for (project, model), tokens in _usual_tokens(facts).items():
        known = find_model(model)
        successor = SUCCESSORS.get(known.id) if known else None
        if successor and successor.since <= facts.period.last:
            yield from _saving(facts, project, model, successor, tokens)


def _usual_tokens(facts: Facts) -> dict[tuple[str | None, str], Mix]:
    """Return the text tokens billed at the standard tier and in the usual context."""
    usual = facts.lines.filter(
        pl.col("usage_type").is_in(Mix._fields),
        pl.col("quantity_unit") == "tokens",
        pl.col("service_tier") == STANDARD,
        ~pl.col("is_long_context").fill_null(False),
        pl.col("modality").fill_null("text") == "text",
        pl.col("model").is_not_null(),
    )
    by_side = usual.group_by("project_id", "model", "usage_type").agg(pl.col("quantity").sum())
    found: dict[tuple[str | None, str], Mix] = {}
    for project, model, side, quantity in by_side.sort("project_id", "model").iter_rows():
        subject = (project, model)
        found[subject] = found.get(subject, Mix())._replace(**{side: int(quantity)})
    return found


def _saving(
    facts: Facts, project: str | None, model: str, successor: Successor, tokens: Mix
) -> Iterator[Saving]:
    day = facts.period.last
    older, newer = token_prices(model, day), token_prices(successor.model, day)
    before = cost(tokens, older) if older else None
    after = cost(tokens, newer) if newer else None
    if older is None or newer is None or before is None or after is None:
        return
    saving, as_paid = facts.as_paid(model, before - after)
    if saving < MIN_SAVING_USD:
        return
    yield Saving(
        rule=RULE,
        subject_kind="project",
        subject=f"{project or 'no project'} {model}",
        subject_name=facts.names.get(project),
        model=model,
        billed_usd=facts.project_bills[project, model],
        saving_usd=saving,
        because=(
            f"The project used {model}: {worked_out(tokens, older)}. With {successor.model}, "
            f"{successor.why} since {successor.since}: {worked_out(tokens, newer)}, "
            f"{dollars(before - after)} less{as_paid}. Evaluate it on a day's traffic before you "
            "switch."
        ),
    )
