"""What the words of clouds mean, and what stays as it is written."""

from __future__ import annotations

import pytest

from openai_costs.settings.error_texts import SettingRefused
from openai_costs.sources.exports.charges import counted
from openai_costs.sources.exports.layout import placed
from openai_costs.sources.focus_file.settings import FocusConnection
from openai_costs.sources.focus_file.words import host_of, meaning


@pytest.mark.parametrize(
    ("host", "service", "label", "expected"),
    [
        (
            "azure",
            "Azure OpenAI",
            "gpt 5.4 cchd Inp glbl Tokens",
            ("openai", "gpt-5.4", "cached_input"),
        ),
        ("azure", "Foundry Models", "Mistral Large Outp Tokens", (None, "mistral-large", "output")),
        (
            "google",
            "Vertex AI",
            "Gemini 3.1 Pro Text Input - Predictions",
            ("google", "gemini-3.1-pro", "input"),
        ),
        (
            "aws",
            "Claude Haiku 4.5 (Amazon Bedrock Edition)",
            "USE1-MP:USE1_OutputTokenCount_Global-Units",
            ("anthropic", "claude-haiku-4-5", "output"),
        ),
        ("aws", "Amazon Bedrock", "USE1-Guardrail-Units", (None, None, None)),
        ("google", "Vertex AI", "Promotional credit", (None, None, None)),
    ],
)
def test_a_label_is_understood_by_the_words_of_its_cloud_or_not_at_all(
    host: str, service: str, label: str, expected: tuple[str | None, ...]
):
    words = meaning(host, service, label)
    assert (words.provider, words.model, words.usage_type) == expected


@pytest.mark.parametrize(
    ("quantity", "unit", "expected"),
    [
        ("23.5", "1K tokens", ("23500.0", "tokens")),
        ("5", "1000000 Tokens", ("5000000", "tokens")),
        ("2", "1M Token", ("2000000", "tokens")),
        ("7", "Tokens", ("7", "tokens")),
        ("0.5", "Units", ("0.5", "Units")),
        (None, "1K tokens", (None, "1K tokens")),
    ],
)
def test_thousands_of_tokens_are_tokens_and_other_units_stay(
    quantity: str | None, unit: str, expected: tuple[str | None, str]
):
    assert tuple(counted(quantity, unit)) == expected


def test_who_invoices_is_set_or_the_providers_name():
    free = FocusConnection(name="cloud", files=("a.csv",))
    fixed = FocusConnection(name="cloud", files=("a.csv",), host="reseller")
    assert host_of(free, "Microsoft", "A Reseller") == "azure"
    assert host_of(free, None, "Oracle Cloud, Inc.") == "oracle_cloud_inc"
    assert host_of(fixed, "Microsoft", None) == "reseller"


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/x.csv", "https://a/b.csv?sig=abc"])
def test_a_secret_in_a_url_is_refused(url: str):
    with pytest.raises(ValueError, match="contains a password or a signature"):
        FocusConnection(name="cloud", files=(url,))
    assert FocusConnection(name="cloud", files=("abfs://box@account/x.csv",)).files


@pytest.mark.parametrize("rate", ["abc", "-1", {"2026-13": "1"}, {"2026-11": "x"}, True])
def test_a_rate_that_is_none_is_refused_with_what_it_may_be(rate: object):
    with pytest.raises(ValueError, match="must be dollars for one unit"):
        FocusConnection.model_validate(
            {"name": "c", "files": "a.csv", "currency": "EUR", "usd_per_unit": rate}
        )


def test_a_rate_needs_its_currency():
    with pytest.raises((SettingRefused, ValueError), match="currency"):
        FocusConnection.model_validate({"name": "c", "files": "a.csv", "usd_per_unit": "1.1"})


@pytest.mark.parametrize(
    ("path", "export", "days", "instant"),
    [
        (
            "b/focus/data/BILLING_PERIOD=2026-11/x.csv",
            "b/focus/data",
            "2026-11-01 to 2026-11-30",
            "",
        ),
        (
            "b/focus/data/BILLING_PERIOD=2026-11/2026-11-20T03:04:05.678Z-uuid/x.csv",
            "b/focus/data",
            "2026-11-01 to 2026-11-30",
            "2026-11-20T03:04:05+00:00",
        ),
        (
            "a/daily/20261103-20261105/202611200312/guid/x.csv",
            "a/daily",
            "2026-11-03 to 2026-11-05",
            "2026-11-20T03:12:00+00:00",
        ),
        ("g/run=20261122T030000Z/0.csv", "g", "None", "2026-11-22T03:00:00+00:00"),
        ("g/202611220300/0.csv", "g", "None", "2026-11-22T03:00:00+00:00"),
        ("g/20261122-0300/0.csv", "g", "None", "2026-11-22T03:00:00+00:00"),
        (
            "g/run=20261122030000/2026-11/0.csv",
            "g",
            "2026-11-01 to 2026-11-30",
            "2026-11-22T03:00:00+00:00",
        ),
        ("a/2026.csv", "a/2026.csv", "None", ""),
    ],
)
def test_the_folders_of_a_file_name_its_export_its_days_and_its_run(
    path: str, export: str, days: str, instant: str
):
    place = placed(path)
    ran = place.ran_at.isoformat() if place.ran_at else ""
    assert (place.export, str(place.days), ran) == (export, days, instant)


@pytest.mark.parametrize(
    "account",
    [
        "482901151230",  # of AWS, or the number of a project of Google
        "201501150830",
        "account=201501150830",
        "201501150830-prod",
        "201511-150830-123456",  # a billing account of Google
        "20190531-0312-4c1e-9a52-5d20f8b7c3aa",  # a subscription of Azure
        "subscription=20190531-0312-4C1E-9A52-5D20F8B7C3AA",
        "7c05a543-80ff-571e-9f98-1063b3b53cf2_99ad03ad-2d1b-4889-a452-090ad407d25f_2019-05-31",
    ],
)
def test_a_folder_that_an_account_names_says_nothing_of_a_run(account: str):
    path = f"b/{account}/focus/data/BILLING_PERIOD=2026-11/x.csv"
    place = placed(path)
    assert (place.export, place.run) == (f"b/{account}/focus/data", path)
    assert (str(place.days), place.ran_at) == ("2026-11-01 to 2026-11-30", None)


@pytest.mark.parametrize(
    "folder", ["482901151230", "260511030000", "4711-08", "48290101-48290131", "1795311625123"]
)
def test_a_number_that_is_a_date_of_another_century_is_none(folder: str):
    path = f"b/{folder}/x.csv"
    assert placed(path) == (path, path, None, None)
