"""The view of FOCUS 1.2: the bill in the columns that FinOps tools read. As data, not code.

https://focus.finops.org/focus-specification/v1-2/. Names of FOCUS 1.3 and 1.4 are columns that
begin with `x_`. Dollars are exact here, as in core: what a tool adds up is the control total.
Metered and estimated dollars are in no row, because no invoice has them (docs/adr/0013).
"""

from collections.abc import Mapping
from typing import Final

from openai_costs.kernel.redaction import ADDRESS
from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.bi.view import View
from openai_costs.questions.namesakes import PEOPLE
from openai_costs.sources.registry import invoicers
from openai_costs.tables.core.spend import COUNTED

_INVOICERS: Final = invoicers()
_NAMES: Final = {host: one.name for host, one in _INVOICERS.items()}
_SERVICES: Final = {host: one.service for host, one in _INVOICERS.items()}
_SUB_ACCOUNTS: Final = {host: one.sub_account for host, one in _INVOICERS.items()}
_CATEGORIES: Final = {
    "purchase": "Purchase",
    "credit": "Credit",
    "tax": "Tax",
    "adjustment": "Adjustment",
}
_UNITS: Final = {
    "tokens": "Tokens",
    "characters": "Characters",
    "images": "Images",
    "calls": "Calls",
    "requests": "Requests",
    "sessions": "Sessions",
    "credits": "Credits",
    "seconds": "Seconds",
    "duration_seconds": "Seconds",
    "duration_minutes": "Minutes",
    "duration_hours": "Hours",
    "gibibyte_hours": "GiB-Hours",
}


def _case(column: str, words: Mapping[str, str], otherwise: str) -> str:
    cases = " ".join(f"WHEN {literal(key)} THEN {literal(word)}" for key, word in words.items())
    return f"CASE {column} {cases} ELSE {otherwise} END"


def _plain(text: str) -> str:
    """Return SQL for a text in which nothing of an e-mail address is but what precedes the @."""
    replaced = rf"regexp_replace({text}, {literal(ADDRESS)}, '\1', 'g')"
    return f"CASE WHEN contains({text}, '@') THEN {replaced} ELSE {text} END"


def _object(**members: str) -> str:
    """Return SQL for a JSON object without the members that are null."""
    pairs = ", ".join(f"""'"{name}":' || to_json({value})""" for name, value in members.items())
    return f"concat('{{', concat_ws(',', {pairs}), '}}')"


_TAGS: Final = _object(team="s.team", user="coalesce(s.user_name, s.user_id)", model="s.model")
_TAGS_AS_JSON: Final = "tags_as_json"
_USAGE: Final = "s.charge_category = 'usage' AND s.billed_usd >= 0"
_TAX: Final = "s.charge_category = 'tax'"
_UNIT: Final = _case("s.quantity_unit", _UNITS, "'Units'")
_HAS_QUANTITY: Final = "s.quantity IS NOT NULL AND s.quantity_unit IS NOT NULL"
_NULL: Final = "CAST(NULL AS VARCHAR)"
_NO_PRICE: Final = "CAST(NULL AS DECIMAL(38,18))"
_HOST: Final = _case("s.host", _NAMES, "s.host")
_INSTANT: Final = "strftime({}, '%Y-%m-%dT00:00:00Z')"
_CATEGORY: Final = (
    f"CASE WHEN s.charge_category = 'usage' AND s.billed_usd < 0 THEN 'Credit' "
    f"ELSE {_case('s.charge_category', _CATEGORIES, chr(39) + 'Usage' + chr(39))} END"
)
_FREQUENCY: Final = (
    "CASE WHEN s.charge_category = 'purchase' THEN 'One-Time' "
    "WHEN s.usage_type = 'scale_tier' THEN 'Recurring' ELSE 'Usage-Based' END"
)
_EFFECTIVE: Final = (
    "CASE s.charge_category WHEN 'purchase' THEN CAST(0 AS DECIMAL(38,18)) ELSE s.billed_usd END"
)
_PRICED: Final = (
    f"CASE WHEN {_TAX} THEN NULL WHEN {_HAS_QUANTITY} THEN s.quantity "
    "ELSE CAST(1 AS DECIMAL(38,18)) END"
)
_SUB_ACCOUNT: Final = (
    "CASE WHEN s.project_id IS NOT NULL THEN "
    f"{_case('s.host', _SUB_ACCOUNTS, chr(39) + 'Project' + chr(39))} END"
)
_LABEL: Final = "coalesce(s.line_item, s.model, s.usage_type, 'Usage of ' || s.provider)"

_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "BilledCost": ("s.billed_usd", "What is invoiced. [USD]"),
    "BillingAccountId": ("coalesce(s.organization_id, s.connection)", "The organization's id."),
    "BillingAccountName": ("s.connection", "The connection in openai_costs.toml."),
    "BillingAccountType": ("'Organization'", "Organization."),
    "BillingCurrency": ("'USD'", "USD."),
    "BillingPeriodEnd": (
        _INSTANT.format("date_trunc('month', s.day) + INTERVAL 1 MONTH"),
        "End of the UTC month, not included.",
    ),
    "BillingPeriodStart": (_INSTANT.format("date_trunc('month', s.day)"), "The UTC month."),
    "ChargeCategory": (_CATEGORY, "Usage, Purchase, Credit, Tax or Adjustment."),
    "ChargeClass": (_NULL, "Null: restated days are replaced, not corrected."),
    "ChargeDescription": (_plain(_LABEL), "The provider's label."),
    "ChargeFrequency": (
        _FREQUENCY,
        "One-Time, Recurring or Usage-Based.",
    ),
    "ChargePeriodEnd": (_INSTANT.format("s.day + INTERVAL 1 DAY"), "The next UTC day."),
    "ChargePeriodStart": (_INSTANT.format("s.day"), "The UTC day."),
    "ConsumedQuantity": (
        f"CASE WHEN {_USAGE} AND {_HAS_QUANTITY} THEN s.quantity END",
        "How much was used. [ConsumedUnit]",
    ),
    "ConsumedUnit": (
        f"CASE WHEN {_USAGE} AND {_HAS_QUANTITY} THEN {_UNIT} END",
        "Tokens, Images, Calls, ...",
    ),
    "ContractedCost": ("s.billed_usd", "BilledCost: the provider names no contract. [USD]"),
    "ContractedUnitPrice": (_NO_PRICE, "Null: the provider names none. [USD]"),
    "EffectiveCost": (
        _EFFECTIVE,
        "BilledCost, and 0 for what is bought in advance. [USD]",
    ),
    "InvoiceId": (_NULL, "Null: the provider names none."),
    "InvoiceIssuerName": (_HOST, "Who invoices."),
    "ListCost": ("coalesce(s.list_usd, s.billed_usd)", "Before discounts, where known. [USD]"),
    "ListUnitPrice": (_NO_PRICE, "Null: the provider names none. [USD]"),
    "PricingCategory": (f"CASE WHEN NOT {_TAX} THEN 'Standard' END", "Standard; null for taxes."),
    "PricingCurrency": ("'USD'", "USD."),
    "PricingCurrencyContractedUnitPrice": (_NO_PRICE, "Null. [USD]"),
    "PricingCurrencyEffectiveCost": (
        _EFFECTIVE,
        "EffectiveCost. [USD]",
    ),
    "PricingCurrencyListUnitPrice": (_NO_PRICE, "Null. [USD]"),
    "PricingQuantity": (
        _PRICED,
        "The quantity; 1 where the provider names none. [PricingUnit]",
    ),
    "PricingUnit": (
        f"CASE WHEN {_TAX} THEN NULL WHEN {_HAS_QUANTITY} THEN {_UNIT} ELSE 'Units' END",
        "Tokens, Images, Calls, ...; Units where the provider names none.",
    ),
    "ProviderName": (_HOST, "Who made it available for purchase."),
    "PublisherName": (_case("s.provider", _NAMES, "s.provider"), "Who made the model."),
    "CommitmentDiscountStatus": (_NULL, "Null: the provider names none."),
    "ResourceId": ("s.api_key_id", "The API key; null for spend without one."),
    "ResourceName": (_plain("s.key_name"), "The key's last known name."),
    "ResourceType": ("CASE WHEN s.api_key_id IS NOT NULL THEN 'API Key' END", "API Key, or null."),
    "ServiceCategory": ("'AI and Machine Learning'", "AI and Machine Learning."),
    "ServiceName": (_case("s.host", _SERVICES, "s.host"), "OpenAI API, Claude API, ..."),
    "ServiceSubcategory": ("'Generative AI'", "Generative AI."),
    "SkuId": (f"CASE WHEN NOT {_TAX} THEN {_plain(_LABEL)} END", "The provider's label."),
    "SkuMeter": (
        f"CASE WHEN NOT {_TAX} THEN coalesce(s.usage_type, 'other') END",
        "input, cached_input, output, ...; other where it is not known.",
    ),
    "SkuPriceDetails": (_NULL, "Null, as SkuPriceId is."),
    "SkuPriceId": (_NULL, "Null: the provider names none."),
    "SubAccountId": ("s.project_id", "The project or workspace; null if none."),
    "SubAccountName": (_plain("s.project_name"), "Its last known name."),
    "SubAccountType": (
        _SUB_ACCOUNT,
        "Project, Workspace, ...",
    ),
    "Tags": (
        _plain(f"s.{_TAGS_AS_JSON}"),
        "JSON: team, user and model, where they are known.",
    ),
    "x_ServiceProviderName": (_HOST, "ServiceProviderName of FOCUS 1.3 and 1.4."),
    "x_HostProviderName": (_HOST, "HostProviderName of FOCUS 1.3 and 1.4."),
    "x_ApiKeyId": ("s.api_key_id", "The API key."),
    "x_UserId": (_plain("s.user_id"), "The user that the provider names."),
    "x_Model": ("s.model", "The model."),
    "x_TokenType": ("s.usage_type", "What was used."),
    "x_ServiceTier": ("s.service_tier", "The service tier."),
    "x_Modality": ("s.modality", "text, audio or image."),
    "x_Product": ("s.product", "The provider's product."),
    "x_Region": ("s.region", "Where it ran."),
    "x_InvoiceCurrency": ("s.currency", "The currency of the invoice where it is not USD."),
    "x_InvoiceAmount": ("s.amount", "The amount in that currency. [x_InvoiceCurrency]"),
    "x_CostBasis": ("s.cost_basis", "billed."),
    "x_Connection": ("s.connection", "The connection in openai_costs.toml."),
    "x_ProviderTags": (_plain("s.tags"), "The provider's own tags, as JSON."),
}

_CELL: Final = ("day", "connection", "provider", "project_id", "api_key_id", "model", "usage_type")
_SAME: Final = " AND ".join(f"t.{one} IS NOT DISTINCT FROM s.{one}" for one in (*_CELL, "user_id"))
_OF_USERS: Final = "SELECT connection, day FROM core.spend s WHERE {days} AND user_id IS NOT NULL"
_NAMES_USERS: Final = f"(s.connection, s.day) IN ({_OF_USERS})"
# Where lines name users, the attribution has each of them; other lines may be split, which only
# mart.spend has by project. A line has a team where all dollars that its dimensions name have it.
_TEAMS: Final = f"""
    SELECT * EXCLUDE (team), min(team) AS team
    FROM (SELECT {", ".join(_CELL)},
                 CASE attribution WHEN 'direct' THEN user_id END AS user_id, team
          FROM mart.spend_attribution s WHERE {{days}} AND {_NAMES_USERS}
          UNION ALL
          SELECT {", ".join(_CELL)}, NULL, team
          FROM mart.spend s WHERE {{days}} AND NOT {_NAMES_USERS})
    GROUP BY ALL HAVING count(team) = count(*) AND min(team) = max(team)
"""  # noqa: S608 - our own words
_SAME_ID: Final = "ON {0}.connection = s.connection AND {0}.id = s.{1}"
_LINES: Final = f"""
    SELECT s.*, p.name AS project_name, k.name AS key_name, m.name AS user_name, t.team
    FROM core.spend s
    LEFT JOIN core.projects p {_SAME_ID.format("p", "project_id")}
    LEFT JOIN core.api_keys k {_SAME_ID.format("k", "api_key_id")}
    LEFT JOIN ({PEOPLE}) m {_SAME_ID.format("m", "user_id")}
    LEFT JOIN ({_TEAMS}) t ON {_SAME}
    WHERE {{days}} AND {COUNTED} AND (s.billed_usd <> 0 OR coalesce(s.list_usd, 0) <> 0)
"""  # noqa: S608 - our own words
_SELECTED: Final = ", ".join(f'{sql} AS "{name}"' for name, (sql, _) in _COLUMNS.items())
_ORDER: Final = f"ORDER BY s.connection, s.day, {_LABEL}, s.project_id, s.api_key_id"


def focus_rows(lines: str) -> str:
    """Return SQL for the rows of FOCUS of some lines, in their order.

    The tags are put together before: DuckDB would do that once to look for an address in them, and
    once again to return them.
    """
    return f"SELECT {_SELECTED} FROM (SELECT *, {_TAGS} AS {_TAGS_AS_JSON} FROM ({lines}) s) s"  # noqa: S608 - our own words


def lines_in_order(where: str) -> str:
    """Return SQL for lines of core.spend with the names that FOCUS has, in order.

    They are put in order before they have all columns of FOCUS: that takes half the memory.

    Args:
        where: Which, by the connection and day of `s`.
    """
    return f"{_LINES.format(days=where)} {_ORDER}"


FOCUS = View(
    name="focus",
    about="The bill in the columns of FOCUS 1.2. One row per billed line of core.spend that is not "
    "$0 before and after discounts; BilledCost adds up to the control total of each day.",
    sql=focus_rows(_LINES.format(days="true")),
    columns={name: text for name, (_, text) in _COLUMNS.items()},
    answers="How does the bill look in the columns of FOCUS, for another FinOps tool?",
)
