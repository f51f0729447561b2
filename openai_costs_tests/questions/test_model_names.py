from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.questions.model_names import (
    canonical_model,
    canonical_name,
    price_list_names,
    undated_model,
    undated_name,
)
from openai_costs.questions.optimization import measured
from openai_costs.questions.prices.price_lists import find_model
from openai_costs.questions.reconciliation.sides import billed_lines, used_tokens
from openai_costs.questions.spend.shares import pools
from openai_costs.questions.usage import consistency
from openai_costs.questions.usage.billable import billable
from openai_costs.sources.openai.costs.line_items import parse
from openai_costs_tests.questions.usage.frames import ledger, tokens, usage

if TYPE_CHECKING:
    from collections.abc import Callable

TUNED = "ft:gpt-4.1-mini-2025-04-14:acme:sup:AbC1"
ON_THE_BILL = "ft-gpt-4.1-mini-2025-04-14"


def column(name: str, expression: pl.Expr) -> str:
    return str(pl.DataFrame({"model": [name]}).select(expression).item())


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (TUNED, ON_THE_BILL),
        ("openai/" + TUNED, ON_THE_BILL),
        (ON_THE_BILL, ON_THE_BILL),
        ("ft:gpt-4o", "ft-gpt-4o"),
        ("openai/GPT-5", "gpt-5"),
        ("text-completion-openai/davinci-002", "davinci-002"),
        ("gpt-5-2025-08-07", "gpt-5-2025-08-07"),
        ("gpt-4o-mini", "gpt-4o-mini"),
    ],
)
def test_a_model_has_the_bills_name_whoever_writes_it(written: str, name: str) -> None:
    assert column(written, canonical_model()) == name
    assert canonical_name(written) == name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("openai/" + TUNED, "ft-gpt-4.1-mini"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("gpt-5-20250807", "gpt-5"),
        ("gpt-3.5-turbo-0613", "gpt-3.5-turbo-0613"),
    ],
)
def test_only_a_whole_date_is_cut_off(written: str, name: str) -> None:
    assert column(written, undated_model()) == name
    assert undated_name(written) == name


def test_a_gateways_own_name_stands_for_the_providers_also_behind_a_prefix() -> None:
    own = {"Maps-Large": "gpt-5-2025-08-07"}
    assert column("openai/Maps-Large", canonical_model(own)) == "gpt-5-2025-08-07"
    assert column("openai/Maps-Large", undated_model(own)) == "gpt-5"


WRITTEN = st.one_of(
    st.from_regex(
        r"(openai/)?(ft[:-])?[a-zA-Z0-9.-]{1,12}(:[a-zA-Z0-9]{0,5}){0,3}", fullmatch=True
    ),
    st.text(st.characters(codec="ascii", categories=("L", "N", "P")), max_size=20),
)


@given(WRITTEN)
def test_a_single_text_and_a_column_of_texts_get_the_same_name(written: str) -> None:
    assert canonical_name(written) == column(written, canonical_model())
    assert undated_name(written) == column(written, undated_model())


@given(WRITTEN)
def test_a_canonical_name_is_its_own_canonical_name(written: str) -> None:
    once = canonical_name(written)
    assert canonical_name(once) == once or once.startswith(("openai/", "text-completion-openai/"))


@pytest.mark.parametrize("label", [f"{ON_THE_BILL}, input", f"{TUNED}, input"])
def test_a_label_of_the_bill_gives_the_canonical_name(label: str) -> None:
    assert parse(label).model == ON_THE_BILL == canonical_name(TUNED)


def _of_attribution(used: pl.DataFrame) -> str:
    owners = pl.DataFrame(schema={"connection": pl.String, "api_key_id": pl.String})
    owned = owners.with_columns(owner_id=pl.lit(None, pl.String))
    return str(pools(used, owned)["model_name"].unique().item())


def _of_usage(used: pl.DataFrame) -> str:
    return str(used["model"].unique().item())


READERS: dict[str, Callable[[pl.DataFrame], str]] = {
    "attribution": _of_attribution,
    "billable usage": lambda rows: _of_usage(billable(rows)),
    "usage beside the bill": lambda rows: _of_usage(consistency.used_tokens(rows)),
    "the period of optimization": lambda rows: _of_usage(measured.tokens(rows, rows)),
}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_usage_names_a_fine_tuned_model_as_the_bill_does(reader: str) -> None:
    text = tokens(5, model=TUNED, input_audio_tokens=0, output_audio_tokens=0)
    assert READERS[reader](usage(text)) == ON_THE_BILL


def test_a_bill_that_writes_a_fine_tuned_model_as_usage_does_is_explained_by_usage() -> None:
    billed = consistency.billed_tokens(ledger({"model": TUNED, "quantity": Decimal(5)}))
    used = consistency.used_tokens(usage(tokens(5, model=TUNED)))
    assert consistency.disagreements(billed, used).is_empty()


def test_reconciliation_names_a_fine_tuned_model_as_the_bill_does_without_its_date() -> None:
    billed = billed_lines(ledger({"model": ON_THE_BILL}), usage())
    used = used_tokens(usage(tokens(5, model=TUNED)))
    assert set(billed["model"]) == set(used["model"]) == {"ft-gpt-4.1-mini"}


def test_the_price_list_has_one_entry_for_every_spelling_of_a_fine_tuned_model() -> None:
    entries = {find_model(name) for name in (TUNED, "openai/" + TUNED, ON_THE_BILL)}
    assert entries == {find_model("ft:gpt-4.1-mini-2025-04-14")}
    assert list(price_list_names(TUNED)) == ["ft:gpt-4.1-mini-2025-04-14", "ft:gpt-4.1-mini"]
