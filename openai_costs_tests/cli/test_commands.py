import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from shutil import copytree

import polars as pl
import pytest
import stamina
from upath import UPath

from openai_costs.cli.backfill_refusals import refuse_without_key
from openai_costs.cli.commands import main
from openai_costs.kernel.days import DayRange, utc_now
from openai_costs.kernel.errors import MissingKey, SettingsError
from openai_costs.outputs.alerts.rows import changes_frame, findings_frame
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.settings.load import load_settings
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import House, connected, day, untraced
from openai_costs_tests.outputs.alerts.fixtures import change, finding
from openai_costs_tests.outputs.alerts.servers import closed_port, http_inbox
from openai_costs_tests.questions.budgets.ledger import FIRST, THROUGH, budget, counted, status

Streams = pytest.CaptureFixture[str]
ONE_ROUTE = """
[[alerts.routes]]
name = "finops"
channel = "webhook"
url_env = "ALERT_URL"
secret_env = "ALERT_SECRET"
"""


A_DEMO = '[[connections]]\nname = "sample"\nbase_url = "sample://7/30/2026-03-10"\n'


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Return the exit code of a command line."""
    monkeypatch.setattr("sys.argv", ["openai-costs", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def without_waits() -> Iterator[None]:
    """Channels are tried again, without the waits between the tries."""
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_ADMIN_KEY", "OPENAI_BASE_URL", "OPENAI_COSTS_CONFIG", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_COSTS_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("backfill", "--from", "tuesday"), "tuesday"),
        (("backfill", "--from", "2026-03-02", "--to", "2026-03-01"), "Swap them"),
        (("backfill", "--to", "2999-01-01"), "2999-01-01 is outside the available days"),
        (("backfill", "--to", "1999-01-01"), "1999-01-01 is outside the available days"),
        (("backfill", "--from", "2999-01-01"), "2999-01-01 is outside the available days"),
        (("backfill", "--connection", ""), "''"),
        (("backfill", "--connection", "nobody"), "There is no connection 'nobody'"),
        (("backfill", "--from", "2026-01-01", "--to", "2026-01-02"), "has no admin key"),
        (("demo", "--days", "3"), "greater than or equal to 7"),
        (("dev", "--demo"), "run `openai-costs demo --home demo` first"),
        (("sample-api", "--faults", "flood@1"), "flood"),
        (("sample-api", "--rows-per-day", "-1"), "greater than or equal to"),
        (("nonsense",), "nonsense"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("nowhere")
def test_a_mistake_is_a_sentence_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch,
    capfd: Streams,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    assert run(monkeypatch, *words) == 1
    said = capfd.readouterr()
    assert sentence in " ".join((said.out + said.err).split())
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize("words", [(), ("--from", "2026-01-01")])
def test_a_backfill_without_a_key_is_one_sentence_and_writes_nothing(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams, words: tuple[str, ...]
) -> None:
    assert run(monkeypatch, "backfill", *words) == 1
    streams = capfd.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert streams.err.startswith("Connection 'openai' has no admin key. Places searched: ")
    assert list(nowhere.iterdir()) == []


def test_a_connection_without_a_key_stops_a_backfill_only_when_no_other_has_one(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = '[[connections]]\nname = "{}"\nadmin_key_env = "{}"\n'
    text = two.format("acme", "ACME_KEY") + two.format("labs", "LABS_KEY")
    (nowhere / "openai_costs.toml").write_text(text, encoding="utf-8")
    settings = load_settings(connection_kinds())
    with pytest.raises(MissingKey, match="acme"):
        refuse_without_key(settings)
    monkeypatch.setenv("LABS_KEY", "sk-admin-x")
    refuse_without_key(settings)
    with pytest.raises(MissingKey, match="acme"):
        refuse_without_key(settings.only("acme"))


def test_a_home_is_named_on_the_command_line(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    assert run(monkeypatch, "report", "--home", "elsewhere") == 1
    sentence = capfd.readouterr().err
    assert sentence.startswith(f"There are no days of costs in {nowhere / 'elsewhere'} yet")
    lake = Lake(UPath(nowhere / "elsewhere"))
    lake.replace_whole(Coverage, Coverage.no_rows())
    publish(UPath(nowhere / "elsewhere"), lake)
    assert run(monkeypatch, "report", "--home", "elsewhere") == 0
    assert capfd.readouterr().out.strip() == str(nowhere / "elsewhere" / "report" / "index.html")
    assert not (nowhere / "home").exists()


def test_a_page_that_cannot_be_of_a_publication_is_not_written_and_a_sentence_says_why(
    three_days: House, nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    home = copytree(three_days.home, nowhere / "copy")
    started = Batch(SpendControl.no_rows(), {Slice("tidewater", day(17)): utc_now()})
    Lake(UPath(home)).replace(SpendControl, [started])
    assert run(monkeypatch, "report", "--home", "copy") == 0
    shown = capfd.readouterr()
    assert shown.err.startswith(
        "The pages and tables of 1 day of tidewater (2026-11-17) are not all"
    )
    assert "run `openai-costs backfill --offline --from 2026-11-17 --to 2026-11-17`" in shown.err
    assert shown.out.strip() == str(home / PAGE)
    before = (home / PAGE).read_bytes()
    (home / "published/openai_costs.duckdb").unlink()
    assert run(monkeypatch, "report", "--home", "copy") == 1
    assert "`openai-costs backfill` completes the days" in capfd.readouterr().err
    assert (home / PAGE).read_bytes() == before


def test_a_file_in_the_place_of_the_home_is_a_sentence_with_its_path(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    (nowhere / "taken").write_text("a file", encoding="utf-8")
    assert run(monkeypatch, "demo", "--days", "14", "--home", "taken") == 1
    streams = capfd.readouterr()
    assert "Not a directory: taken" in streams.err
    assert "Traceback" not in streams.err


def test_a_byte_order_mark_in_the_settings_is_accepted(nowhere: Path) -> None:
    text = '\ufeff[[connections]]\nname = "acme"\n'
    (nowhere / "openai_costs.toml").write_text(text, encoding="utf-8")
    assert [one.name for one in load_settings(connection_kinds()).connections] == ["acme"]


def test_settings_nested_without_end_are_a_sentence(nowhere: Path) -> None:
    deep = "a = " + "[" * 5000 + "]" * 5000
    (nowhere / "openai_costs.toml").write_text(deep, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"openai_costs.toml cannot be read"):
        load_settings(connection_kinds())


def test_a_dagster_home_that_cannot_be_used_is_a_sentence(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(nowhere / "gone"))
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-x")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{closed_port()}/v1")
    assert run(monkeypatch, "backfill", "--from", "2026-11-26", "--to", "2026-11-26") == 1
    streams = capfd.readouterr()
    assert "The Dagster instance in DAGSTER_HOME cannot be used" in streams.err
    assert "Traceback" not in streams.err


def test_a_demo_does_not_replace_a_folder_that_is_something_else(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    (nowhere / "thesis").mkdir()
    (nowhere / "thesis" / "chapter.txt").write_text("all of it", encoding="utf-8")
    assert run(monkeypatch, "demo", "--home", "thesis") == 1
    assert "not empty and contains no demo" in capfd.readouterr().err
    assert (nowhere / "thesis" / "chapter.txt").read_text(encoding="utf-8") == "all of it"


@pytest.mark.usefixtures("nowhere")
def test_the_doctor_names_the_missing_key_once_and_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    assert run(monkeypatch, "doctor", "--json") == 1
    facts = json.loads(capfd.readouterr().out)
    about_key = [fact for fact in facts if "no admin key" in fact["said"]]
    assert [(fact["state"], fact["about"]) for fact in about_key] == [("FAIL", "openai: key")]
    assert [fact for fact in facts if fact["state"] == "FAIL"] == about_key


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_settings_that_cannot_be_read_are_a_fact_of_the_doctor(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams, options: tuple[str, ...]
) -> None:
    (nowhere / "openai_costs.toml").mkdir()
    assert run(monkeypatch, "doctor", *options) == 1
    told = capfd.readouterr().out
    [(state, sentence)] = (
        [(one["state"], one["said"]) for one in json.loads(told)]
        if options
        else [told.split(maxsplit=2)[::2]]
    )
    assert state == "FAIL"
    assert "openai_costs.toml" in sentence


@pytest.mark.usefixtures("nowhere")
def test_the_doctor_warns_of_a_budget_of_what_never_spent(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    one = budget(name="search", scope="project", id="proj_typo")
    nothing = dict.fromkeys(DayRange(FIRST, THROUGH), "0")
    lake = Lake(UPath(nowhere / "home"))
    lake.replace_whole(BudgetStatus, status(one, counted(other=nothing)))
    run(monkeypatch, "doctor")
    said = capfd.readouterr().out
    assert "WARN  budgets: Budget search counts no spend of project proj_typo." in said


@pytest.mark.usefixtures("nowhere")
def test_the_doctor_asks_about_an_organization_that_was_billed_nothing(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    lake, read = Lake(UPath(nowhere / "home")), datetime(2026, 11, 23, tzinfo=UTC)
    days = list(DayRange(date(2026, 11, 13), date(2026, 11, 20)))
    lake.replace(Spend, [Batch(Spend.no_rows(), {Slice("openai", day): read for day in days})])
    rows = [("openai", "costs", day, "settled", 0, Decimal(0), None) for day in days]
    lake.replace_whole(
        Coverage,
        connected(rows),
    )
    project = dict.fromkeys(Projects.types()) | {"connection": "openai", "provider": "openai"}
    seen = {"status": "active", "first_seen_day": days[0], "last_seen_day": days[-1]}
    only = project | seen | {"id": "proj_1", "name": "Default project", "is_current": True}
    lake.replace_whole(Projects, pl.DataFrame([only], schema=Projects.types()))
    run(monkeypatch, "doctor")
    assert (
        "WARN  openai: tables: $0.00 was billed to connection openai on all 8 settled days read "
        "(2026-11-13 to 2026-11-20). Projects of its organization: Default project. Is this the "
        "right organization?"
    ) in capfd.readouterr().out


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_demo_prints_the_first_screen_questions_files_and_the_next_command(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    with untraced():
        assert run(monkeypatch, "demo", "--days", "7") == 0
    said = capfd.readouterr().out
    for word in ("So far $", "Expected by ", "What moved it", "restatement", "Next: openai-costs"):
        assert word in said
    assert (nowhere / "demo" / "report" / "index.html").exists()
    assert (nowhere / "demo" / "published" / "openai_costs.duckdb").exists()
    assert "sk-admin" not in said


@pytest.mark.usefixtures("nowhere")
def test_findings_are_listed_and_one_is_muted_by_how_its_id_begins(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    lake = Lake(UPath(nowhere / "home"))
    lake.replace_whole(Findings, findings_frame([finding()]))
    assert run(monkeypatch, "findings") == 0
    assert (
        "f1a2b3c4d5e6  open     warning  Spend of API key etl was $412.50" in capfd.readouterr().out
    )
    words = ("mute", "f1a2", "--reason", "known", "--until", "2999-01-01", "--by", "Ada")
    assert run(monkeypatch, *words) == 0
    assert "is muted through 2999-01-01: known" in capfd.readouterr().out
    assert run(monkeypatch, "findings", "--open", "--json") == 0
    assert json.loads(capfd.readouterr().out) == []
    assert run(monkeypatch, "findings", "--all", "--json") == 0
    (one,) = json.loads(capfd.readouterr().out)
    assert (one["state"], one["muted_by"]) == ("muted", "Ada")


def test_no_data_is_not_the_same_as_no_finding(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    lake = Lake(UPath(nowhere / "demo"))
    lake.replace_whole(Findings, findings_frame([finding()]))
    (nowhere / "demo" / "openai_costs.toml").write_text(A_DEMO, encoding="utf-8")
    assert run(monkeypatch, "findings") == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert f"There are no findings in {nowhere / 'home'} yet" in said.err
    assert f"add --home {nowhere / 'demo'}" in said.err
    assert run(monkeypatch, "findings", "--home", "demo") == 0
    listed = capfd.readouterr().out
    assert "Spend of API key etl" in listed
    command = listed.rpartition("To take care of one: ")[2].partition("\n")[0].split()
    assert run(monkeypatch, *command[1:]) == 0
    assert "is acknowledged by NAME" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("findings", "--json"), "findings"),
        (("mute", "f1", "--reason", "known", "--until", "2999-01-01"), "findings"),
        (("deliver",), "findings"),
        (("report",), "days of costs"),
        (("verify",), "settled days"),
        (("verify", "--json"), "settled days"),
        (("backfill", "--offline"), "kept pages"),
    ],
)
def test_each_command_that_needs_data_names_the_home_without_any_and_the_demo_beside_it(
    nowhere: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Streams,
    command: tuple[str, ...],
    what: str,
) -> None:
    (nowhere / "demo").mkdir()
    (nowhere / "demo" / "openai_costs.toml").write_text(A_DEMO, encoding="utf-8")
    assert run(monkeypatch, *command) == 1
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"There are no {what} in {nowhere / 'home'} yet, because no data")
    assert f"add --home {nowhere / 'demo'}" in shown.err
    assert not (nowhere / "home").exists()


def test_a_finding_that_is_not_there_cannot_be_muted(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    Lake(UPath(nowhere / "home")).replace_whole(Findings, findings_frame([finding()]))
    assert run(monkeypatch, "mute", "zzz", "--reason", "known", "--until", "2999-01-01") == 1
    assert "There is no finding 'zzz'" in capfd.readouterr().err


@pytest.mark.usefixtures("nowhere")
def test_delivering_twice_sends_once_and_a_channel_that_is_down_is_exit_code_1(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    (nowhere / "openai_costs.toml").write_text(ONE_ROUTE, encoding="utf-8")
    monkeypatch.setenv("ALERT_SECRET", "s1gning")
    lake = Lake(UPath(nowhere / "home"))
    lake.replace_whole(Findings, findings_frame([finding()]))
    today = utc_now().date()
    lake.replace_whole(FindingChanges, changes_frame([change(changed_day=today)]))
    with http_inbox() as inbox:
        monkeypatch.setenv("ALERT_URL", inbox.url)
        assert run(monkeypatch, "deliver") == 0
        assert run(monkeypatch, "deliver") == 0
    assert capfd.readouterr().out.splitlines() == ["finops: 1 sent", "finops: nothing to send"]
    assert len(inbox.got) == 1
    again = [change(), change(2, "growing", changed_day=today)]
    lake.replace_whole(FindingChanges, changes_frame(again))
    monkeypatch.setenv("ALERT_URL", f"http://127.0.0.1:{closed_port()}/s3cr3t")
    assert run(monkeypatch, "deliver") == 1
    said = capfd.readouterr()
    assert said.out == "finops: 1 waiting\n"
    assert said.err.startswith("Route finops did not deliver its messages (1 wait")
    assert "s3cr3t" not in said.err


@pytest.mark.usefixtures("nowhere")
def test_delivering_without_a_route_says_that_no_message_was_sent(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: Streams
) -> None:
    Lake(UPath(nowhere / "home")).replace_whole(Findings, findings_frame([]))
    assert run(monkeypatch, "deliver") == 0
    assert "No route, so no message was sent." in capfd.readouterr().out


def test_digest_without_its_routes_prints_and_says_why_it_sends_nothing(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    assert run(monkeypatch, "digest") == 1
    assert "There are no days of costs" in capsys.readouterr().err
    lake, days = Lake(UPath(nowhere / "home")), [("acme", "costs", FIRST, "settled", 1, 1, None)]
    lake.replace_whole(Coverage, connected(days))
    publish(UPath(nowhere / "home"), lake)
    assert run(monkeypatch, "digest") == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{FIRST:%B} so far: $0.00")
    assert "Data: Data complete through" in printed
    assert run(monkeypatch, "digest", "--send") == 1
    assert "No route receives the weekly digest" in capsys.readouterr().out


def test_alerts_are_delivered_also_where_no_page_can_be_had_for_the_digest(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    (nowhere / "openai_costs.toml").write_text(
        f'{ONE_ROUTE}[alerts.weekly]\nroutes = ["finops"]\n', encoding="utf-8"
    )
    monkeypatch.setenv("ALERT_SECRET", "s1gning")
    monkeypatch.setenv("ALERT_URL", "http://127.0.0.1:9")
    lake, days = Lake(UPath(nowhere / "home")), [("acme", "costs", FIRST, "settled", 1, 1, None)]
    lake.replace_whole(Coverage, connected(days))
    lake.replace_whole(Findings, findings_frame([]))
    assert run(monkeypatch, "deliver") == 1
    streams = capsys.readouterr()
    assert "finops: nothing to send" in streams.out
    assert "weekly digest: Nothing can be shown of" in streams.err


@pytest.mark.parametrize("answers", ["up", "down"])
def test_digest_is_sent_once_a_week_or_says_why_not(
    answers: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: Streams
) -> None:
    (nowhere / "openai_costs.toml").write_text(
        f'{ONE_ROUTE}rules = []\n[alerts.weekly]\nroutes = ["finops"]\n', encoding="utf-8"
    )
    lake, days = Lake(UPath(nowhere / "home")), [("acme", "costs", FIRST, "settled", 1, 1, None)]
    lake.replace_whole(Coverage, connected(days))
    publish(UPath(nowhere / "home"), lake)
    monkeypatch.setenv("ALERT_SECRET", "s1gning")
    with http_inbox() as inbox:
        down = f"http://127.0.0.1:{closed_port()}"
        monkeypatch.setenv("ALERT_URL", inbox.url if answers == "up" else down)
        codes = [run(monkeypatch, "digest", "--send") for _ in range(2)]
    lines = capsys.readouterr().out.splitlines()
    if answers == "up":
        assert (codes, [one["kind"] for one in inbox.bodies]) == ([0, 0], ["weekly"])
        assert lines[0] == "finops: sent"
        assert "was sent at" in lines[1]
    else:
        assert codes == [1, 1]
        assert lines[0].startswith("finops: not delivered (waiting): ")
