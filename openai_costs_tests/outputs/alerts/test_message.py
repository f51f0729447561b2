from __future__ import annotations

from decimal import Decimal

from openai_costs.outputs.alerts.message import clean, digest, message, one_line
from openai_costs_tests.outputs.alerts.fixtures import change, day, finding

URL = "https://dagster.acme.example/"


def text(**other: object) -> str:
    return message(finding(18, 20, **other), change(), dagster_url=URL).text


def test_a_message_says_dollars_before_percent_who_why_since_when_owner_link_and_silence() -> None:
    assert text(outlook=None).splitlines() == [
        "Warning: 412.50 USD, anomalies.spike, api key etl in acme",
        "Measured: 425.00 USD against 12.50 USD expected (+3,300 %)",
        "Why: key etl made 34 times as many requests as on other Wednesdays",
        "Since: 2026-11-18, 3 days up to 2026-11-20",
        "Owner: data-platform",
        "Id: key_etl",
        "Details: https://dagster.acme.example/assets/mart/spend_anomalies?partition=2026-11-20",
        'Silence: openai-costs mute f1a2b3c4d5e6 --reason "..." --until YYYY-MM-DD',
    ]


def test_a_message_says_what_happens_by_the_end_of_the_period() -> None:
    made = message(finding(), change(outlook="12,400 USD of 10,000 USD"), dagster_url=None)
    assert "By period end: 12,400 USD of 10,000 USD" in made.text


def test_a_message_has_one_link() -> None:
    assert text().count("https://") == 1
    without = message(finding(), change(), dagster_url=None)
    assert "Details: docs/alerts.md#anomalies-spike" in without.text


def test_a_growing_finding_says_so_with_the_new_amount() -> None:
    grown = change(2, "growing", impact_usd=Decimal("1234567.891"))
    title = message(finding(), grown, dagster_url=None).title
    assert title == "Growing: 1,234,567.89 USD, anomalies.spike, api key etl in acme"


def test_a_closed_finding_says_from_when_to_when_and_needs_no_silence() -> None:
    made = message(finding(18, 20), change(2, "closed"), dagster_url=None)
    assert made.title == "Closed: anomalies.spike, api key etl in acme"
    assert "Over: it held from 2026-11-18 to 2026-11-20, and no longer does" in made.text
    assert "Silence" not in made.text


def test_a_finding_without_dollars_says_none() -> None:
    late = finding(rule="data.late", unit="days", impact_usd=None, subject_kind="connection")
    made = message(
        late,
        change(impact_usd=None, observed=Decimal(3), expected=Decimal(0), unit="days"),
        dagster_url=None,
    )
    assert made.title == "Warning: data.late, connection etl in acme"
    assert "Measured: 3 days on 2026-11-20" in made.text


def test_a_finding_about_all_connections_names_none() -> None:
    assert message(finding(connection="*"), change(), dagster_url=None).title.endswith("key etl")


def test_a_digest_has_the_worst_first_and_names_what_silences_each() -> None:
    mild = message(finding(finding_id="aaa"), change(finding_id="aaa"), dagster_url=None)
    bad = message(finding(finding_id="bbb"), change(severity="critical"), dagster_url=None)
    made = digest("finops", [mild, bad])
    assert made.title == f"2 changes of findings, the worst: {bad.title}"
    assert digest("finops", [mild]).title == f"1 change: {mild.title}"
    assert f"\n\n{mild.title}\nWhy: " in made.text
    assert [line.said for line in made.lines if not line.label] == [bad.title, mild.title]
    assert made.severity == "critical"
    assert "openai-costs mute aaa" in made.text
    assert "openai-costs mute bbb" in made.text


def test_a_repeated_message_says_so() -> None:
    made = message(finding(), change(), dagster_url=None, is_possibly_repeated=True)
    assert made.title.endswith("(possibly repeated)")


def test_addresses_and_keys_are_left_out_everywhere() -> None:
    said = "ada@acme.example used sk-proj-abcdefgh12345 (write to <bob@acme.example>)"
    one = finding(subject_name="ada@acme.example", owner=None)
    made = clean(message(one, change(because=said), dagster_url=None), allow_email=False)
    whole = made.text + str(made.facts)
    assert "@" not in whole
    assert "abcdefgh" not in whole
    assert "[e-mail address] used sk-[redacted] (write to <[e-mail address]>)" in whole


def test_a_route_may_allow_addresses_but_never_keys() -> None:
    said = "ada@acme.example used sk-proj-abcdefgh12345"
    made = clean(message(finding(), change(because=said), dagster_url=None), allow_email=True)
    assert "ada@acme.example used sk-[redacted]" in made.text


def test_foreign_text_stays_on_one_line_of_bounded_length() -> None:
    assert one_line("a\r\nSubject: b\x00c") == "a Subject: b c"
    assert len(one_line("x" * 10_000)) == 600


def test_facts_keep_every_digit() -> None:
    exact = Decimal("0.000000000000000001")
    made = message(finding(), change(impact_usd=exact), dagster_url=None)
    assert made.facts["impact_usd"] == "0.000000000000000001"
    assert made.facts["day"] == str(day(20))
