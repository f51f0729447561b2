from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx
import polars as pl
import pytest
from upath import UPath

from openai_costs.cli.doctor import facts
from openai_costs.cli.doctor_governance import governance_facts
from openai_costs.cli.doctor_protection import permission_facts
from openai_costs.definitions import reach_of
from openai_costs.kernel.days import ONE_DAY
from openai_costs.kernel.formatting import exact_dollars
from openai_costs.kernel.money import MONEY
from openai_costs.outputs.publish.verification import verify
from openai_costs.settings import Directory, Gateway
from openai_costs.settings.load import Settings
from openai_costs.sources.provider import Diagnosis, Reach
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.org import (
    FACTS,
    LEDGER,
    NOW,
    ORGANISATION,
    HandClock,
    House,
    connection,
    day,
    house,
)
from openai_costs_tests.sources.gateway.litellm.proxy import Proxy

UNPUBLISHED = tuple(name for name in FACTS if name != "published/duckdb")
ANN = "name,email\nAnn,ann@acme.example\n"


def settings(folder: Path, **sections: object) -> Settings:
    return Settings.model_validate(
        {
            "home": str(folder / "home"),
            "config_file": folder / "openai_costs.toml",
            "connections": (connection("acme"),),
            **sections,
        }
    )


def states(there: Settings) -> dict[str, str]:
    return {about: state for state, about, _ in governance_facts(there, HandClock())}


@pytest.mark.parametrize(("answers", "state"), [(True, "OK"), (False, "FAIL")])
def test_an_object_store_is_reached_once_and_one_that_does_not_answer_is_the_last_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, answers: bool, state: str
) -> None:
    home, asked = UPath(f"memory://{uuid4()}"), list[str]()

    def listed(_: object, path: str) -> list[str]:
        asked.append(path)
        if not answers:
            raise ConnectionError("Could not connect")
        return []

    monkeypatch.setattr(type(home.fs), "ls", listed)
    found = facts(settings(tmp_path).model_copy(update={"home": str(home)}), HandClock(), Reach())
    assert next(one.state for one in found if one.about == "home") == state
    assert len(asked) == 1
    assert answers or next(found, None) is None


def test_without_gateway_and_directory_nothing_is_wrong(tmp_path: Path) -> None:
    assert states(settings(tmp_path)) == {"gateway": "OK", "directory": "OK"}


def test_a_gateway_without_its_key_fails_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LITELLM_MASTER_KEY", raising=False)
    there = settings(tmp_path, gateway=Gateway(litellm_url="http://127.0.0.1:9"))
    facts = {about: (state, text) for state, about, text in governance_facts(there, HandClock())}
    state, text = facts["gateway: LiteLLM"]
    assert state == "FAIL"
    assert "LITELLM_MASTER_KEY" in text
    assert facts["gateway: upstreams"][0] == "WARN"


def test_a_directory_file_that_is_not_there_fails_and_one_not_read_yet_is_a_warning(
    tmp_path: Path,
) -> None:
    (tmp_path / "people.csv").write_text(ANN, encoding="utf-8")
    there = settings(tmp_path, directory=Directory(files=("people.csv", "gone.csv")))
    assert states(there) == {
        "gateway": "OK",
        "directory: people.csv": "OK",
        "directory: gone.csv": "FAIL",
        "directory": "WARN",
    }


@pytest.mark.parametrize(
    ("content", "state", "text"),
    [
        (ANN, "OK", "1 file, 1 person"),
        (ANN + "Ben,\n", "WARN", "people.csv, line 3"),
        ("name,email\n", "FAIL", "people.csv: lists no people"),
        ("Ann;ann at acme\n", "FAIL", "people.csv"),
    ],
)
def test_a_file_of_people_is_read_as_a_run_reads_it(
    tmp_path: Path, content: str, state: str, text: str
) -> None:
    (tmp_path / "people.csv").write_text(content, encoding="utf-8")
    there = settings(tmp_path, directory=Directory(files=("people.csv",)))
    facts = {one.about: one for one in governance_facts(there, HandClock())}
    found = facts["directory: people.csv"]
    assert (found.state, text in found.text) == (state, True)
    assert "ann@" not in found.text


@pytest.mark.parametrize(("is_trusted", "state"), [(True, "OK"), (False, "WARN")])
def test_people_of_a_directory_in_doubt_are_a_warning(
    tmp_path: Path, *, is_trusted: bool, state: str
) -> None:
    (tmp_path / "people.csv").write_text(ANN, encoding="utf-8")
    there = settings(tmp_path, directory=Directory(files=("people.csv",)))
    person = {
        "person_id": "ann",
        "status": "active",
        "is_trusted": is_trusted,
        "origin": "people.csv, line 2",
    }
    rows = pl.DataFrame([person], schema=Engineers.types())
    Lake(place(there.home)).replace_whole(Engineers, rows)
    assert states(there)["directory"] == state


def test_a_gateway_whose_tokens_all_have_a_key_needs_no_upstream_in_the_settings(
    tmp_path: Path,
) -> None:
    (tmp_path / "tokens.csv").write_text("token_id\ntok\n", encoding="utf-8")
    there = settings(tmp_path, gateway=Gateway(token_files=("tokens.csv",)))
    token = dict.fromkeys(GatewayTokens.types()) | {
        "connection": "gateway",
        "token_id": "tok",
        "status": "active",
        "is_current": True,
        "mapping": "registry_file",
        "confidence": "high",
        "is_partial": False,
        "first_seen_day": NOW.date(),
        "last_seen_day": NOW.date(),
    }
    unmapped = token | {"token_id": "other", "mapping": "none", "confidence": "none"}
    lake = Lake(place(there.home))
    lake.replace_whole(GatewayTokens, pl.DataFrame([token], schema=GatewayTokens.types()))
    assert "gateway: upstreams" not in states(there)
    both = pl.DataFrame([token, unmapped], schema=GatewayTokens.types())
    lake.replace_whole(GatewayTokens, both)
    facts = {about: text for _, about, text in governance_facts(there, HandClock())}
    assert facts["gateway: upstreams"].startswith("the upstream key of 1 gateway token is unknown.")
    assert facts["gateway: GatewayFiles"] == "the registry is readable: 1 file"


HEADS = "day,token_id,model,metered_usd\n"


@pytest.mark.parametrize(
    ("text", "meter"),
    [
        (f"{HEADS}{NOW.date() - ONE_DAY},tok,gpt-5,1\n", {"gateway: GatewayFiles, meter": "OK"}),
        (f"{HEADS}2026-11-02,tok,gpt-5,1\n", {"gateway: GatewayFiles, meter": "WARN"}),
        (f"{HEADS}{NOW.date() - ONE_DAY},tok,gpt-5,much\n", {"gateway: GatewayFiles": "FAIL"}),
        (None, {"gateway: GatewayFiles": "FAIL"}),
    ],
)
def test_a_meter_in_files_is_read_before_it_is_called_readable(
    tmp_path: Path, text: str | None, meter: dict[str, str]
) -> None:
    if text:
        (tmp_path / "spend.csv").write_text(text, encoding="utf-8")
    there = settings(tmp_path, gateway=Gateway(spend_files=("spend.csv",)))
    assert states(there) == {**meter, "gateway: upstreams": "WARN", "directory": "OK"}


def test_a_row_of_a_meter_that_is_set_aside_is_a_warning_with_line_reason_and_dollars(
    tmp_path: Path,
) -> None:
    yesterday = NOW.date() - ONE_DAY
    rows = f"{HEADS}{yesterday},tok,gpt-5,1\n{yesterday},tok,gpt-5,much\n"
    (tmp_path / "spend.csv").write_text(rows, encoding="utf-8")
    there = settings(tmp_path, gateway=Gateway(spend_files=("spend.csv",)))
    facts = {about: (state, text) for state, about, text in governance_facts(there, HandClock())}
    state, text = facts["gateway: GatewayFiles, meter, rows"]
    assert state == "WARN"
    assert "spend.csv, line 3: metered_usd is 'much', which is not a finite number" in text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            httpx.Response(401, json={"error": {"message": "Only proxy admin can be used"}}),
            "LITELLM_MASTER_KEY sees a part of the proxy only",
        ),
        (
            httpx.Response(500, json={"detail": {"error": "Database not connected"}}),
            "the proxy has no database",
        ),
    ],
)
def test_a_gateway_that_shows_less_than_it_has_fails_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response, expected: str
) -> None:
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-a-users-own")
    own = Proxy(lambda _path, _said: [])
    own.whole_view = answer
    there = settings(tmp_path, gateway=Gateway(litellm_url="http://127.0.0.1:9"))
    found = {
        about: fact for fact in governance_facts(there, HandClock(), own) for about in fact[1:2]
    }
    state, _, text = found["gateway: LiteLLM"]
    assert state == "FAIL"
    assert expected in text


def test_a_settled_day_that_does_not_tie_out_fails_with_the_command_that_helps(
    three_days: House, tmp_path: Path
) -> None:
    made, when = three_days.moved_to(tmp_path / "home"), day(17)
    assert tie_outs(made) == ("OK", "every settled day adds up to its control total")
    control = made.lake.read(SpendControl, [when])
    more = control.with_columns(pl.col("billed_usd") + pl.lit(Decimal("0.50"), MONEY))
    made.lake.replace(SpendControl, [Batch(more, {Slice("tidewater", when): NOW})])
    state, text = tie_outs(made)
    total = control["billed_usd"][0]
    assert state == "FAIL"
    assert text.startswith("Not published, because it does not tie out: 2026-11-17 of tidewater: ")
    assert f"mart.spend_by_user add up to {exact_dollars(total)}, but the control total is " in text
    assert exact_dollars(total + Decimal("0.50")) in text
    assert "`openai-costs backfill --from 2026-11-17 --to 2026-11-17`" in text


def test_a_home_without_a_settled_day_is_not_called_tied_out(tmp_path: Path) -> None:
    assert tie_outs(house(tmp_path / "home")) == (
        "WARN",
        "no settled day is stored, so no sum was compared",
    )


@pytest.mark.parametrize(
    ("made_of_it", "sentence"),
    [
        (
            LEDGER,
            "The pages and tables of 1 day of tidewater (2026-11-19) are not all of one read: ",
        ),
        (
            UNPUBLISHED,
            "No run has published 1 day of tidewater (2026-11-19) since they were stored",
        ),
    ],
    ids=("only the ledger", "all but the publication"),
)
def test_a_day_that_no_run_made_or_published_to_the_end_fails_as_verify_does(
    three_days: House, tmp_path: Path, made_of_it: tuple[str, ...], sentence: str
) -> None:
    made, when = three_days.moved_to(tmp_path / "home"), day(19)
    assert made.run(when, when, only=made_of_it).is_green
    assert not verify(made.settings, lambda _line: None).holds
    state, text = tie_outs(made)
    assert (state, text.startswith(sentence)) == ("FAIL", True)
    assert f"`openai-costs backfill --offline --from {when} --to {when}`" in text


@pytest.mark.parametrize(
    ("seed", "state"), [("restated", "FAIL"), (ORGANISATION.seed, "OK")], ids=("other", "same")
)
def test_pages_that_are_newer_than_the_tables_fail_as_in_verify_where_their_sums_differ(
    three_days: House, tmp_path: Path, seed: str, state: str
) -> None:
    made, when = three_days.moved_to(tmp_path / "home").at(NOW + ONE_DAY), day(17)
    made.serve("tidewater", organisation=replace(ORGANISATION, seed=seed))
    assert made.run(when, when, only=("raw/openai_costs",)).is_green
    assert verify(made.settings, lambda _line: None).holds is (state == "OK")
    found, text = tie_outs(made)
    assert found == state
    if state == "FAIL":
        assert text.startswith(f"The pages and tables of 1 day of tidewater ({when}) are not all ")
        assert text.endswith(f"`openai-costs backfill --offline --from {when} --to {when}`.")


def test_a_kept_page_that_no_table_can_be_made_of_fails_as_in_verify(
    three_days: House, tmp_path: Path
) -> None:
    made, when = three_days.moved_to(tmp_path / "home").at(NOW + ONE_DAY), day(17)
    made.serve("tidewater", "nan-string@1")
    assert not made.run(when, when, only=FACTS).is_green
    found = facts_of(made)
    assert found["kept pages"].state == "FAIL"
    assert found["kept pages"].text.startswith(
        f"{when}, connection tidewater: the newest kept page "
    )
    assert found["kept pages"].text.endswith(f"`openai-costs backfill --from {when} --to {when}`.")


def test_a_home_with_a_ledger_alone_is_not_called_a_home_without_a_day(tmp_path: Path) -> None:
    made = house(tmp_path / "home")
    assert made.run(day(16), day(17), only=LEDGER).is_green
    found = facts_of(made)
    assert found["tidewater: tables"].state == "FAIL"
    assert found["tidewater: tables"].text.startswith("2 days read, 2026-11-16 to 2026-11-17, and ")
    assert found["published files"].state == "FAIL"
    assert found["published files"].text.startswith("No run has published 2 days of tidewater ")


def test_days_that_were_read_again_and_not_published_are_a_warning(
    three_days: House, tmp_path: Path
) -> None:
    made = three_days.moved_to(tmp_path / "home").at(NOW + ONE_DAY)
    assert made.run(day(17), day(17), only=UNPUBLISHED).is_green
    found = facts_of(made)
    assert (found["published files"].state, found["tie-outs"].state) == ("WARN", "OK")
    assert verify(made.settings, lambda _line: None).holds


def tie_outs(made: House) -> tuple[str, str]:
    found = facts_of(made)["tie-outs"]
    return found.state, found.text


def facts_of(made: House) -> dict[str, Diagnosis]:
    reach = Reach(lambda one: made.transports[one.name])
    return {fact.about: fact for fact in facts(made.settings, made.clock, reach)}


@pytest.mark.parametrize(
    ("starts", "states"),
    [((1,), ["FAIL"]), ((0,), []), ((1, 0), ["WARN"]), ((1, 400), ["FAIL", "FAIL"])],
)
def test_a_connection_that_starts_in_the_future_is_named_and_fails_where_no_other_is_read(
    tmp_path: Path, starts: tuple[int, ...], states: list[str]
) -> None:
    connections = tuple(
        connection(f"acme{number}", start=NOW.date() + ONE_DAY * days)
        for number, days in enumerate(starts)
    )
    there = settings(tmp_path, connections=connections)
    found = [
        one
        for one in facts(there, HandClock(), reach_of(HandClock()))
        if one.about[5:] == ": start"
    ]
    assert [one.state for one in found] == states
    assert all("has not come" in one.text and "openai_costs.toml" in one.text for one in found)


def test_an_object_store_that_cannot_be_reached_fails_and_the_other_facts_follow(
    tmp_path: Path,
) -> None:
    there = settings(tmp_path, gateway=Gateway(spend_files=("nosuch://bucket/x.jsonl",)))
    assert states(there) == {
        "gateway: GatewayFiles": "FAIL",
        "gateway: upstreams": "WARN",
        "directory": "OK",
    }


def test_what_other_accounts_can_read_is_named_with_the_fix(tmp_path: Path) -> None:
    home = place(str(tmp_path))
    (tmp_path / "raw").mkdir(mode=0o700)
    assert [fact.state for fact in permission_facts(home)] == ["OK"]
    (tmp_path / "raw").chmod(0o755)
    [fact] = permission_facts(home)
    assert fact.state == "WARN"
    assert f"1 path below {home} can be read" in fact.text
    assert f"such as {tmp_path / 'raw'}. Run openai-costs backfill" in fact.text
