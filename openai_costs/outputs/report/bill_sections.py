"""The sections that check the bill: the gateway, list prices, restated days. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.kernel.formatting import (
    NONE,
    cents,
    counted,
    dollars,
    listed,
    share,
    signed_dollars,
    total_usd,
)
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.address import address
from openai_costs.outputs.report.section import Cell, Row, Section, beyond, number
from openai_costs.questions.prices.price_check import unpriced, without_list, without_tier
from openai_costs.questions.provider_scope import (
    GATEWAY_BYPASS,
    HOW_FAR,
    PRICES,
    left_out,
    why_not,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

_MOST: Final = 40
_DAYS: Final = timedelta(days=29)
_REASONS: Final = {
    "unregistered": "no gateway token names the key",
    "service_account": "a service account's key without a gateway token",
    "deleted_key": "the key has since been deleted",
    "archived_project": "the key's project has since been archived",
    "unmetered": "registered, but the gateway metered less",
    "without_key": "the spend names no key",
}
_CAUSES: Final = {
    "no_price": "no list price is known",
    "quantity_missing": "the bill and the usage report name no quantity",
    "contract_discount": "below list price: a discount of your contract",
    "regional_uplift": "1.1 x list price, for work or data that stays in a region",
    "unknown_tier": "the service tier has no list price",
    "label_not_parsed": "the label was not recognized",
    "above_list": "above list price",
    "agrees": "agrees with the list price",
}


def whom_bills_name(price_check: pl.DataFrame, by_host: Mapping[str, str]) -> dict[str, str]:
    """Return the sentences about whom the bills of each connection name for a dollar.

    Args:
        price_check: mart.price_check.
        by_host: A sentence about the bill of each who invoices.
    """
    bills = price_check.select("connection", "host").unique().sort("connection", "host")
    ours = bills.filter(pl.col("host").is_in([*by_host])).group_by("connection").agg("host")
    return {name: " ".join(map(by_host.__getitem__, hosts)) for name, hosts in ours.iter_rows()}


def gateway_section(
    bypass: pl.DataFrame, capture: pl.DataFrame, hosts: Iterable[str] = ()
) -> Section:
    """Return the keys whose spend the gateway did not meter, in the newest 30 days.

    Args:
        bypass: mart.gateway_bypass.
        capture: mart.gateway_capture.
        hosts: Who invoices.
    """
    if bypass.is_empty() and capture.is_empty():
        return Section(
            id="gateway",
            title="Gateway",
            summary="No gateway is set up. With one, this section lists the keys that bypass it, "
            "with dollars and owners. Add it to openai_costs.toml (docs/governance.md):",
            example='[gateway]\nname = "gateway"\nlitellm_url = "https://litellm.example.com"',
        )
    days = _newest_days(bypass)
    keys = _by_key(bypass.filter(pl.col("day").is_between(*days)) if days else bypass)
    return Section(
        id="gateway",
        title="Gateway",
        summary=_metered(capture, days),
        head=("API key", "Not metered, USD", "Owner", "Project", "Why", "Since", "Allowed"),
        rows=tuple(_key(row, days) for row in keys.head(_MOST).iter_rows(named=True)),
        more=" ".join(
            [beyond(keys.height, _MOST, "mart.gateway_bypass"), *left_out(GATEWAY_BYPASS, hosts)]
        ).strip(),
    )


def _newest_days(table: pl.DataFrame) -> tuple[date, date] | None:
    if table.is_empty():
        return None
    last: date = table["day"].sort()[-1]
    return last - _DAYS, last


def _by_key(bypass: pl.DataFrame) -> pl.DataFrame:
    newest = ("key_name", "owner", "project_name", "reason", "new_since_day", "is_allowed")
    return (
        bypass.sort("day")
        .group_by("connection", "project_id", "api_key_id", maintain_order=True)
        .agg(pl.col("at_risk_usd").sum(), *(pl.col(name).last() for name in newest))
        .filter(pl.col("at_risk_usd") != 0)
        .sort(
            "is_allowed", pl.col("at_risk_usd").abs(), "api_key_id", descending=[False, True, False]
        )
    )


def _key(row: dict[str, Any], days: tuple[date, date] | None) -> Row:
    name = row["key_name"] or row["api_key_id"] or "(no API key)"
    filters = {
        "connection": row["connection"],
        "project": row["project_id"],
        "api_key": row["api_key_id"],
    }
    return Row(
        cells=(
            Cell(without_domains(name)),
            number(dollars(row["at_risk_usd"])),
            Cell(without_domains(row["owner"] or "")),
            Cell(without_domains(row["project_name"] or row["project_id"] or "")),
            Cell(_REASONS[row["reason"]]),
            Cell(str(row["new_since_day"] or "")),
            Cell("yes" if row["is_allowed"] else "no"),
        ),
        address=address(filters, days=days),
        tone="" if row["is_allowed"] else "warning",
    )


def _metered(capture: pl.DataFrame, days: tuple[date, date] | None) -> str:
    newest = days or _newest_days(capture)
    rows = capture.filter(pl.col("day").is_between(*newest)) if newest else capture
    if rows.is_empty() or newest is None:
        return "Spend that the gateway did not meter. Its own meter was not read for these days."
    has_bill = (pl.col("billed_usd") != 0).any().over("provider")
    with_bill, without = rows.filter(has_bill), rows.filter(~has_bill, pl.col("metered_usd") != 0)
    return (
        f"{_share(with_bill.filter(is_settled=True))} from {newest[0]} to {newest[1]}. "
        f"{_unsettled(with_bill.filter(is_settled=False))}{_without_bill(without)}"
        "Keys that are not allowed come first."
    )


def _share(rows: pl.DataFrame) -> str:
    if rows.is_empty():
        return "No day has settled on the bill and on the gateway's meter"
    billed, metered = (total_usd(rows[name].to_list()) for name in ("billed_usd", "metered_usd"))
    return (
        f"The gateway metered {dollars(metered)} of {dollars(billed)} billed without credits "
        f"({share(cents(metered), cents(billed))})"
    )


def _unsettled(rows: pl.DataFrame) -> str:
    """Return what the share leaves out: days of which a bill or the meter is not whole."""
    usd = dollars(total_usd(rows["metered_usd"].to_list()))
    days = counted(rows["day"].n_unique(), "day")
    text = f"Not counted: {usd} metered on {days} of which a bill or the meter has not settled. "
    return "" if rows.is_empty() else text


def _without_bill(rows: pl.DataFrame) -> str:
    """Return what was metered for others, of whose bill nothing was read."""
    if rows.is_empty():
        return ""
    whose = listed(sorted(rows["provider"].unique()), _MOST)
    usd = dollars(total_usd(rows["metered_usd"].to_list()))
    return f"It metered {usd} more of {whose}, without a bill to compare with. "


def price_section(check: pl.DataFrame) -> Section:
    """Return what was billed beside list prices in the newest 30 days, by cause, host and model.

    Args:
        check: mart.price_check.
    """
    days = _newest_days(check)
    if days is None:
        return Section("price-check", "Price check", "No line of the bill was compared yet.")
    rows = check.filter(pl.col("day").is_between(*days))
    sums = rows.group_by("cause", "host", "model").agg(
        pl.col("billed_usd", "expected_usd", "gap_usd").sum(), known=pl.col("gap_usd").count()
    )
    agrees = total_usd(sums.filter(cause="agrees")["billed_usd"].to_list())
    whole = total_usd(sums["billed_usd"].to_list())
    odd = sums.filter(pl.col("cause") != "agrees").sort(
        pl.col("gap_usd").abs(),
        pl.col("billed_usd").abs(),
        "cause",
        "model",
        "host",
        descending=[True, True, False, False, False],
    )
    return Section(
        id="price-check",
        title="Price check",
        summary=f"{dollars(agrees)} of {dollars(whole)} billed in lines of usage from {days[0]} to "
        f"{days[1]} ({share(cents(agrees), cents(whole))}) agrees with quantity x list price. "
        "The rest:",
        head=(
            "Model",
            "Invoiced by",
            "Billed, USD",
            "At list price, USD",
            "Difference, USD",
            "Why",
        ),
        rows=tuple(_price(row, days) for row in odd.head(_MOST).iter_rows(named=True)),
        more=" ".join(filter(None, _beyond(rows, odd.height))),
    )


def _beyond(rows: pl.DataFrame, odd: int) -> Iterator[str]:
    """Yield what the rows of the section do not say: how many more, and whom no list is about."""
    yield beyond(odd, _MOST, "mart.price_check")
    for host, usd in without_list(unpriced(rows)).iter_rows():
        yield f"{dollars(usd)} of {host} cannot be compared: {why_not(PRICES, host)}"
    for host, usd in without_tier(unpriced(rows)).iter_rows():
        if about := HOW_FAR[PRICES].get(host):
            yield f"{dollars(usd)} of {host} are of tiers without a list price. {about}"


def _price(row: dict[str, Any], days: tuple[date, date]) -> Row:
    is_known = bool(row["known"])
    return Row(
        cells=(
            Cell(row["model"] or "(no model)"),
            Cell(row["host"]),
            number(dollars(row["billed_usd"])),
            number(dollars(row["expected_usd"]) if is_known else NONE),
            number(signed_dollars(row["gap_usd"]) if is_known else NONE),
            Cell(_CAUSES[row["cause"]]),
        ),
        address=address({"model": row["model"]}, by="usage_type", days=days),
        tone="warning" if row["cause"] == "above_list" else "",
    )
