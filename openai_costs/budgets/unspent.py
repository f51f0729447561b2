"""Budgets of what never spent anything: a mistaken id is never exceeded, and warns nobody. Pure."""

import polars as pl


def unspent(status: pl.DataFrame) -> list[str]:
    """Return a sentence per budget that counts nothing, although its days are known.

    Args:
        status: mart.budget_status. Of what never spent there is no forecast.
    """
    is_known = (pl.col("state") != "incomplete").any()
    nothing = (pl.col("spent_usd") == 0).all() & pl.col("forecast_usd").is_null().all()
    found = (
        status.group_by("budget", "scope", "scope_id")
        .agg(is_nothing=nothing & is_known)
        .filter("is_nothing")
        .sort("budget")
    )
    return [_said(*row) for row in found.select("budget", "scope", "scope_id").iter_rows()]


def _said(budget: str, scope: str, scope_id: str | None) -> str:
    of = f"{scope.replace('_', ' ')} {scope_id}" if scope_id else "everybody"
    said = f"Budget {budget}: {of} spent nothing that was read."
    return f"{said} Is its id as the bill has it?"
