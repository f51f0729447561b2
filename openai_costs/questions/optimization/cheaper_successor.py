"""A model whose successor costs less for the same tokens. Pure.

The list of successors is short: the replacement that the vendor recommends, or the next generation
of the same size. https://developers.openai.com/api/docs/deprecations
https://platform.claude.com/docs/en/about-claude/model-deprecations
https://ai.google.dev/gemini-api/docs/deprecations
"""

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import dollars
from openai_costs.questions.optimization.facts import MIN_SAVING_USD, Facts, Saving, subject_of
from openai_costs.questions.optimization.list_cost import (
    ListedModel,
    Mix,
    cost,
    together,
    token_prices,
    worked_out,
)
from openai_costs.questions.optimization.measured import KINDS, usual
from openai_costs.questions.prices.catalogue import STANDARD
from openai_costs.questions.prices.price_lists import makers_name

RULE: Final = "optimization.cheaper_successor"


class Successor(NamedTuple):
    """What replaces a model, since when, and on whose word.

    Args:
        model: Its maker's name of it.
        since: The day from which its maker offers it.
        why: On whose word.
        is_dearest: Whether it counts at its price for long requests, because those begin below
            what the older model takes at its usual price, and a day of tokens is not a request.
    """

    model: str
    since: date
    why: str
    is_dearest: bool = False


_RECOMMENDED: Final = "the vendor's recommended replacement"
_NEXT: Final = "the next generation of the same size"
_LUNA: Final = Successor("gpt-6-luna", date(2026, 10, 14), _RECOMMENDED)
_OPUS: Final = Successor("claude-opus-5-5", date(2026, 9, 22), _NEXT)
_SONNET: Final = Successor("claude-sonnet-5-5", date(2026, 9, 28), _NEXT)
# By the maker's name of the older model, whoever invoices it.
SUCCESSORS: Final = {
    "gpt-4o": _LUNA,
    "gpt-4o-mini": _LUNA,
    "gpt-4.1": _LUNA,
    "gpt-4.1-mini": _LUNA,
    "gpt-5.6-luna": Successor("gpt-6-luna", date(2026, 9, 22), _NEXT),
    "gpt-5.6-terra": Successor("gpt-6.1-terra", date(2026, 10, 26), _NEXT),
    "gpt-5.6-sol": Successor("gpt-6.1-sol", date(2026, 9, 29), _NEXT),
    "gpt-6-sol": Successor("gpt-6.1-sol", date(2026, 9, 29), _NEXT),
    "claude-opus-4-5": _OPUS,
    "claude-opus-4-6": _OPUS,
    "claude-opus-4-7": _OPUS,
    "claude-opus-4-8": _OPUS,
    "claude-opus-5": _OPUS,
    "claude-sonnet-4-5": _SONNET,
    "claude-sonnet-4-6": _SONNET,
    "claude-sonnet-5": _SONNET,
    "claude-haiku-4-5": Successor("claude-haiku-5-5", date(2026, 10, 7), _NEXT, is_dearest=True),
    "gemini-3.5-flash": Successor("gemini-3.8-flash", date(2026, 9, 2), _NEXT),
}


def cheaper_successor(facts: Facts) -> Iterator[Saving]:
    """Yield the projects and models whose tokens cost less with the model's successor."""
    for (project, model), tokens in _usual_tokens(facts).items():
        successor = SUCCESSORS.get(makers_name(model.name, model.host) or "")
        if successor and successor.since <= facts.period.last:
            yield from _saving(facts, project, model, successor, tokens)


def _usual_tokens(facts: Facts) -> dict[tuple[str | None, ListedModel], Mix]:
    """Return the text tokens at the standard tier and in the usual context.

    They are the bill's, or the usage report's where no line of the bill has a quantity. Such a
    report does not say which requests were long: their tokens count at the usual price, so that a
    saving is rather too small.
    """
    counted = facts.lines.filter(pl.col("quantity_unit") == "tokens", pl.col("quantity") > 0)
    rows = _of_report(facts.tokens) if counted.is_empty() else _of_bill(facts.lines)
    found: dict[tuple[str | None, ListedModel], Mix] = {}
    in_order = rows.sort("project_id", "model", "region", "usage_type")
    for project, name, region, side, quantity in in_order.iter_rows():
        subject = (project, ListedModel(name, facts.host, region))
        tokens = Mix()._replace(**{side: int(quantity or 0)})
        found[subject] = together([found.get(subject, Mix()), tokens])
    return found


def _of_bill(lines: pl.DataFrame) -> pl.DataFrame:
    """Return project_id, model, region, usage_type, quantity."""
    by_side = usual(lines).group_by("project_id", "model", "region", "usage_type")
    return by_side.agg(pl.col("quantity").sum())


def _of_report(tokens: pl.DataFrame) -> pl.DataFrame:
    """Return the same; nothing of a project and model of which a row does not say every count."""
    subject = ["project_id", "model", "region"]
    is_whole = pl.all_horizontal(pl.col(KINDS).is_not_null()).all().over(subject)
    counted = tokens.filter(pl.col("service_tier") == STANDARD, pl.col("model").is_not_null())
    sums = counted.filter(is_whole).group_by(subject).agg(pl.col(KINDS).sum())
    return sums.unpivot(KINDS, index=subject, variable_name="usage_type", value_name="quantity")


def _saving(
    facts: Facts, project: str | None, model: ListedModel, successor: Successor, tokens: Mix
) -> Iterator[Saving]:
    day, newer_model = facts.period.last, model._replace(name=successor.model)
    older = token_prices(model, day)
    newer = token_prices(newer_model, day, is_long=successor.is_dearest)
    before = cost(tokens, older) if older else None
    after = cost(tokens, newer) if newer else None
    if older is None or newer is None or before is None or after is None:
        return
    saving, as_paid = facts.as_paid(model.name, before - after)
    if saving < MIN_SAVING_USD:
        return
    price = ", at its price for long requests" if successor.is_dearest else ""
    yield Saving(
        rule=RULE,
        subject_kind="project",
        subject=subject_of(project or "no project", model),
        subject_name=facts.names.get(project),
        model=model.name,
        billed_usd=facts.project_bills[project, model.name],
        saving_usd=saving,
        because=(
            f"The project used {model.words}: {worked_out(tokens, older)}. With {successor.model}, "
            f"{successor.why} since {successor.since}{price}: {worked_out(tokens, newer)}, "
            f"{dollars(before - after)} less{as_paid}. Evaluate it on a day's traffic before you "
            "switch."
        ),
    )
