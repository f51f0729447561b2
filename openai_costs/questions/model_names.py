"""One name for a model, whoever writes it: bill, usage report, gateway, price list. Pure.

The bill's spelling is the canonical one. Usage reports and gateways write `ft:gpt-4o:acme::id` for
what the bill calls `ft-gpt-4o`: every tuning job makes a new name, and all of them have one price.
A gateway may put the provider in front (`openai/gpt-5`).

The snapshot's date is part of the name, because a dated snapshot may have a price of its own. Only
where a gateway is compared with a bill it is cut off (`undated_model`): a gateway meters the name
that was asked for, and the bill names the snapshot that answered.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from openai_costs.tables.upstreams import UPSTREAMS

_PROVIDER: Final = rf"^(?:{'|'.join(UPSTREAMS['openai'])})/"
_TUNED: Final = r"^ft:([^:]+).*$"
_DATE: Final = r"-20\d{2}-?\d{2}-?\d{2}$"
"""Only a whole date is one: `-mini` and `-0613` are part of a name."""


def canonical_model(own_names: Mapping[str, str] | None = None) -> pl.Expr:
    """Return the column `model` as the bill writes it.

    Args:
        own_names: A gateway's own name of a model, and the provider's.
    """
    plain = pl.col("model").str.replace(f"(?i){_PROVIDER}", "")
    named = plain.replace(dict(own_names)) if own_names else plain
    return named.str.to_lowercase().str.replace(_TUNED, "ft-${1}")


def canonical_model_sql(column: str) -> str:
    """Return SQL for a column of models as the bill writes them: `canonical_model` for views."""
    plain = f"lower(regexp_replace({column}, '{_PROVIDER}', '', 'i'))"
    return rf"regexp_replace({plain}, '{_TUNED}', 'ft-\1')"


def undated_model(own_names: Mapping[str, str] | None = None) -> pl.Expr:
    """Return the column `model` as the bill writes it, without the date of a snapshot."""
    return canonical_model(own_names).str.replace(_DATE, "")


def canonical_name(name: str) -> str:
    """Return one name as the bill writes it: `canonical_model` for a single text."""
    return re.sub(_TUNED, r"ft-\1", re.sub(_PROVIDER, "", name.lower()))


def undated_name(name: str) -> str:
    """Return one name as the bill writes it, without the date of a snapshot."""
    return re.sub(_DATE, "", canonical_name(name))


def price_list_names(name: str) -> Iterator[str]:
    """Yield the names under which a price list may have a model, the most exact first.

    Price lists write `ft:gpt-4o` for the bill's `ft-gpt-4o`.
    """
    tuned = re.sub(r"^ft-", "ft:", canonical_name(name))
    yield tuned
    yield re.sub(_DATE, "", tuned)
