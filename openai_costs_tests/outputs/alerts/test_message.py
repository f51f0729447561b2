from __future__ import annotations

from decimal import Decimal

from openai_costs.outputs.alerts.digest import digest
from openai_costs.outputs.alerts.message import Addresses, clean, message
from openai_costs.questions.reconciliation.findings import GAP
from openai_costs.questions.rules import Rule
from openai_costs_tests.outputs.alerts.fixtures import LATE, SPIKE, change, day, finding

URL = "https://dagster.acme.example/"
SUM = Rule("gateway_bypass.unmetered", title="{who} spent {usd} {when}", span="{when}")


def text(**other: object) -> str:
    return message(finding(18, 20, **other), change(), SPIKE, at=Addresses(dagster=URL)).text


def test_a_message_says_dollars_who_since_when_why_owner_link_mute_and_at_the_end_the_rule() -> (
    None
):
    assert text(outlook=None).splitlines() == [
        "Warning: Spend of API key etl was $412.50 above expected from 2026-11-18 to 2026-11-20",
        "Observed: $425.00 on 2026-11-20, against $12.50 expected (+3,300 %)",
        "Connection: acme",
        "Since: 2026-11-18 to 2026-11-20 (3 days)",
        "Why: The key etl made 34 times as many requests as on other Wednesdays",
        "Owner: data-platform",
        "API key id: key_etl",
        "Details: https://dagster.acme.example/assets/mart/spend_anomalies?partition=2026-11-20",
        "Acknowledge: openai-costs acknowledge f1a2b3c4d5e6 --by NAME",
        'Mute: openai-costs mute f1a2b3c4d5e6 --reason "..." --until YYYY-MM-DD',
        "Rule: anomalies.spike",
    ]


def test_a_sum_of_many_days_names_its_first_and_last_day() -> None:
    many = message(finding(18, 20), change(expected=None), SUM)
    assert "Observed: $425.00 from 2026-11-18 to 2026-11-20\n" in many.text
    one = message(finding(20), change(expected=None), SUM)
    assert one.title == "Warning: API key etl spent $412.50 on 2026-11-20"


def test_a_meter_that_is_beside_the_bill_is_not_called_an_expectation() -> None:
    beside = change(observed=Decimal(12), expected=Decimal(13))
    made = message(finding(18, 20, observed=Decimal(12), expected=Decimal(13)), beside, GAP)
    assert (
        "$12.00 in the last 30 days, through 2026-11-20, against $13.00 metered (-8 %)\n"
        in made.text
    )


def test_a_rule_without_a_span_leaves_the_observed_number_out() -> None:
    state = Rule("data.check_failed", title="The check {name} failed on {since}", span="")
    made = message(finding(18, 20), change(), state)
    assert made.title == "Warning: The check etl failed on 2026-11-18"
    assert "Observed" not in made.text


def test_a_message_has_the_outlook_for_the_end_of_the_period() -> None:
    made = message(finding(), change(outlook="$12,400.00 of $10,000.00"), SPIKE)
    assert "Outlook: $12,400.00 of $10,000.00" in made.text


def test_a_message_has_one_link() -> None:
    assert text().count("https://") == 1
    without = message(finding(), change(), SPIKE)
    assert "Details: docs/alerts.md#anomalies-spike" in without.text


def test_with_the_address_of_the_page_a_message_links_to_the_view_of_its_dollars() -> None:
    at = Addresses(page="https://costs.example/", dagster=URL)
    made = message(finding(18, 20), change(), SPIKE, at=at)
    assert made.link == (
        "https://costs.example/#by=model&from=2026-11-18&to=2026-11-20"
        "&connection=acme&api_key=key_etl"
    )
    assert made.link in clean(digest("team", [made]), allow_email=False).text
    budget = message(finding(subject_kind="budget", subject_id="labs"), change(), SPIKE, at=at)
    assert budget.link == "https://costs.example/#finding-f1a2b3c4d5e6"


def test_the_next_step_names_who_to_ask_and_the_key_to_revoke() -> None:
    asks = Rule("anomalies.spike", next_step="Ask {owner}.{or_revoke}")
    step = "Next step: Ask data-platform. If no one expects it, revoke API key etl (key_etl).\n"
    assert step in message(finding(), change(), asks).text
    unknown = message(finding(owner=None, subject_kind="user"), change(), asks)
    assert "Next step: Ask its owner.\n" in unknown.text
    assert "Next step" not in message(finding(), change(2, "closed"), asks).text


def test_an_owner_that_is_not_known_is_unknown() -> None:
    assert "Owner: unknown" in text(owner=None)


def test_a_growing_finding_has_the_new_amount() -> None:
    grown = change(2, "growing", impact_usd=Decimal("1234567.891"))
    title = message(finding(18, 20), grown, SPIKE).title
    assert title == (
        "Growing: Spend of API key etl was $1,234,567.89 above expected "
        "from 2026-11-18 to 2026-11-20"
    )


def test_a_closed_finding_has_its_first_and_last_day_and_no_mute() -> None:
    made = message(finding(18, 20), change(2, "closed"), SPIKE)
    assert made.title == (
        "Closed: Spend of API key etl was $412.50 above expected from 2026-11-18 to 2026-11-20"
    )
    assert "Ended: 2026-11-18 to 2026-11-20 (3 days)" in made.text
    assert "Mute" not in made.text


def test_a_finding_without_dollars_has_its_count_and_the_day_it_is_of() -> None:
    late = finding(18, 20, rule="data.late", unit="days", impact_usd=None, subject_name="costs")
    counted = change(impact_usd=None, observed=Decimal(3), expected=Decimal(0), unit="days")
    made = message(late, counted, LATE)
    assert made.title == (
        "Warning: Late data from acme: 3 days of costs not settled, from 2026-11-18 on"
    )
    assert "Observed: 3 days as of 2026-11-20" in made.text


def test_a_finding_about_all_connections_names_none() -> None:
    made = message(finding(connection="*"), change(), SPIKE)
    assert "Connection" not in made.text


def test_a_subject_without_a_name_is_called_by_its_id() -> None:
    made = message(finding(subject_name=None), change(), SPIKE)
    assert "API key key_etl" in made.title
    assert "Id:" not in made.text


def test_a_repeated_message_is_marked() -> None:
    made = message(finding(), change(), SPIKE, is_possibly_repeated=True)
    assert made.title.endswith("(possibly repeated)")


def test_addresses_and_keys_are_removed_everywhere() -> None:
    why = "ada@acme.example used sk-proj-abcdefgh12345 (write to <bob@acme.example>)"
    one = finding(subject_name="ada@acme.example", owner=None)
    made = clean(message(one, change(because=why), SPIKE), allow_email=False)
    whole = made.text + str(made.facts)
    assert "@" not in whole
    assert "abcdefgh" not in whole
    assert "[e-mail address] used sk-[redacted] (write to <[e-mail address]>)" in whole


def test_a_title_is_one_line_whatever_a_name_holds() -> None:
    one = finding(subject_name="Ada\nBcc: everyone")
    made = clean(message(one, change(), SPIKE), allow_email=False)
    assert "Ada Bcc: everyone" in made.title
    assert "\n" not in made.title


def test_a_route_may_allow_addresses_but_never_keys() -> None:
    why = "ada@acme.example used sk-proj-abcdefgh12345"
    made = message(finding(), change(because=why), SPIKE)
    assert "ada@acme.example used sk-[redacted]" in clean(made, allow_email=True).text


def test_facts_keep_every_digit() -> None:
    exact = Decimal("0.000000000000000001")
    made = message(finding(), change(impact_usd=exact), SPIKE)
    assert made.facts["impact_usd"] == "0.000000000000000001"
    assert made.facts["day"] == str(day(20))
