"""The command line: openai-costs. Thin: reads arguments, calls one function, prints sentences."""

import json
import logging
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import stamina
import typer

from openai_costs.cli.export import app as export_app
from openai_costs.cli.faults import sentence_of
from openai_costs.cli.forget import forget_connection, forget_user
from openai_costs.cli.home_settings import Home, option_of, publishing, usable, writable
from openai_costs.cli.message_commands import messages
from openai_costs.cli.page_commands import pages
from openai_costs.cli.streams import STOPPED
from openai_costs.cli.terminal import PRINTED, say
from openai_costs.cli.typed_days import typed_day
from openai_costs.kernel.days import utc_now
from openai_costs.sample.company.history import LONGEST_DAYS, SHORTEST_DAYS, USUAL_DAYS
from openai_costs.storage.files import place

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What your AI costs, who spends it, and whether you can believe the number.",
)
app.add_typer(export_app, name="export")
KNOWN_CODES = (None, 0, STOPPED)  # besides 1

FirstDay = Annotated[
    date | None, typer.Option("--from", parser=typed_day, metavar="DAY", help="First UTC day.")
]
LastDay = Annotated[
    date | None,
    typer.Option("--to", parser=typed_day, metavar="DAY", help="Last UTC day, included."),
]
DAYS = typer.Option(help="Days of history.", min=SHORTEST_DAYS, max=LONGEST_DAYS)
SEED = typer.Option(help="Another seed gives other noise around the same story.")


def main() -> None:
    """Run a command; a mistake or a fault of the machine is one sentence and an exit code."""
    stamina.instrumentation.set_on_retry_hooks(())  # retries are reported in our own sentences
    logging.getLogger().addHandler(logging.NullHandler())  # what libraries log, as traces, too
    logging.getLogger("openai_costs").addHandler(PRINTED)
    try:
        app()
    except SystemExit as ended:
        sys.exit(ended.code if ended.code in KNOWN_CODES else 1)
    except Exception as fault:
        if not (sentence := sentence_of(fault)):
            raise  # a defect of ours: its trace is what we need
        say(sentence, err=True)
        sys.exit(getattr(fault, "exit_code", 1))


@app.command()
def demo(
    days: Annotated[int, DAYS] = USUAL_DAYS,
    home: Annotated[str, typer.Option(help="The folder to fill; an older demo goes.")] = "demo",
    seed: Annotated[int, SEED] = 7,
    provider: Annotated[
        list[str] | None, typer.Option(help="Only this provider; may be repeated. Default: five.")
    ] = None,
) -> None:
    """Run the whole graph over a sample company: no key, no network, no port."""
    from openai_costs.cli.demo import demo as show  # noqa: PLC0415 - a command loads what it needs
    from openai_costs.cli.demo_home import demo_folder  # noqa: PLC0415
    from openai_costs.sample.accounts import OF_THE_DEMO  # noqa: PLC0415
    from openai_costs.sample.setup import Wanted  # noqa: PLC0415

    wanted = Wanted(days, seed, tuple(provider or OF_THE_DEMO))
    show(demo_folder(home), wanted, clock=utc_now, say=say)


@app.command("sample-api")
def sample_api(  # noqa: PLR0913, PLR0917 - the options of the command
    port: Annotated[int, typer.Option(help="0 picks a free one.", min=0, max=65535)] = 8765,
    days: Annotated[int, DAYS] = USUAL_DAYS,
    seed: Annotated[int, SEED] = 7,
    rows_per_day: Annotated[int, typer.Option(help="Pad each day to so many rows.", min=0)] = 0,
    faults: Annotated[str, typer.Option(help="NAME@WHICH[:ARG],... or `help` for the list.")] = "",
    home: Annotated[Path | None, typer.Option(help="Write settings and bills here.")] = None,
) -> None:
    """Serve the sample company's APIs on 127.0.0.1; OpenAI key: sk-admin-sample."""
    from openai_costs.sample.api import serving  # noqa: PLC0415

    serving.serve_sample(
        serving.sample_address(
            seed=seed, days=days, today=utc_now().date(), rows_per_day=rows_per_day
        ),
        serving.Wanted(port, faults, home),
        clock=utc_now,
        say=say,
    )


@app.command()
def backfill(
    since: FirstDay = None,
    until: LastDay = None,
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="From kept pages only: no request.")
    ] = False,
    home: Home = None,
) -> None:
    """Materialize a range of days, or what is missing and the trailing days again."""
    from openai_costs.cli.backfill import Headless  # noqa: PLC0415
    from openai_costs.cli.backfill_plan import asked_days  # noqa: PLC0415
    from openai_costs.cli.ending import with_ending  # noqa: PLC0415
    from openai_costs.outputs.publish.publication import publication_of  # noqa: PLC0415

    settings = publishing(home)
    settings = settings if connection is None else settings.only(connection)
    asked = asked_days(settings, since, until, utc_now())
    with with_ending(publication_of(settings), utc_now, say):
        Headless(settings, say=say).backfill(asked, offline=offline)


@app.command()
def dev(
    demo: Annotated[bool, typer.Option("--demo", help="The demo: its home and settings.")] = False,
    home: Annotated[
        str | None, typer.Option("--home", help="The home, or the demo's folder; default: ./demo.")
    ] = None,
    port: Annotated[int, typer.Option(help="The port of the UI.", min=1, max=65535)] = 3000,
    host: Annotated[str, typer.Option(help="The address of the UI.")] = "127.0.0.1",
) -> None:
    """Start the Dagster UI and its daemon on this code location."""
    from openai_costs.cli.dev import Address, start  # noqa: PLC0415

    sys.exit(start(home, is_demo=demo, address=Address(host, port), say=say))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Facts as JSON.")] = False,
    home: Home = None,
) -> None:
    """Check keys, access, folders and versions: one line per fact, with the fix."""
    from openai_costs.cli.doctor import fact_as_json, facts_of_home  # noqa: PLC0415
    from openai_costs.definitions import reach_of  # noqa: PLC0415

    collected = []
    for fact in facts_of_home(home, utc_now, reach_of(utc_now)):
        collected.append(fact)
        if not as_json:
            say(f"{fact.state:<4}  {fact.about}: {fact.text}")
    if as_json:
        typer.echo(json.dumps([fact_as_json(fact) for fact in collected], indent=2))
    sys.exit(any(fact.state == "FAIL" for fact in collected))


@app.command("verify")
def verify_sums(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    home: Home = None,
) -> None:
    """Recompute the tie-outs of every settled day over all that is stored and published."""
    from openai_costs.cli import verify  # noqa: PLC0415
    from openai_costs.cli.empty_home import refuse_empty  # noqa: PLC0415
    from openai_costs.cli.stored_damage import all_damage  # noqa: PLC0415
    from openai_costs.outputs.publish import verification  # noqa: PLC0415
    from openai_costs.sources.provider import silent  # noqa: PLC0415
    from openai_costs.storage.layout import foreign_files  # noqa: PLC0415

    settings = usable(home)
    damaged, foreign = (of(place(settings.home)) for of in (all_damage, foreign_files))
    for line in [*damaged, *verify.foreign_lines(foreign)] if not as_json else ():
        say(line)
    refuse_empty(place(settings.home), "settled days")
    found = verification.verify(settings, silent if as_json else say)
    found = replace(found, unreadable=[*found.unreadable, *damaged])
    as_text = [json.dumps(verify.as_json(found, foreign), indent=2)] if as_json else None
    for line in as_text or verify.lines(found, settings.home, damaged):
        say(line)
    sys.exit(not found.holds)


@app.command()
def findings(
    everything: Annotated[
        bool, typer.Option("--all/--open", help="Also closed and muted findings.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    home: Home = None,
) -> None:
    """List open findings, the most severe first, each with its reason."""
    from openai_costs.cli import findings  # noqa: PLC0415

    folder = place(usable(home).home)
    found = findings.shown(folder, everything=everything)
    if as_json:
        typer.echo(json.dumps(findings.as_json(found), indent=2))
        return
    for line in findings.lines(found, findings.page_of(folder)):
        say(line)
    for line in findings.what_to_do(found, home):
        say(line)
    if not found:
        say(findings.nothing_found(folder))
        if not everything:
            given = option_of(home)
            say(f"`openai-costs findings --all{given}` also lists closed and muted ones.")


@app.command()
def acknowledge(
    finding: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    by: Annotated[str, typer.Option(help="Who takes care of it; a name.")],
    home: Home = None,
) -> None:
    """Note who takes care of a finding; it stays open."""
    from openai_costs.cli import finding_changes  # noqa: PLC0415

    say(finding_changes.acknowledge(writable(home), finding, by, utc_now().date()))


@app.command()
def mute(
    finding: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    until: Annotated[
        date,
        typer.Option(parser=typed_day, metavar="DAY", help="The last UTC day of the mute."),
    ],
    by: Annotated[str, typer.Option(help="Who mutes it; a name.")] = "",
    home: Home = None,
) -> None:
    """Mute a finding through a day, with a reason."""
    from openai_costs.cli import finding_changes  # noqa: PLC0415

    request = finding_changes.MuteRequest(reason, until, by)
    say(finding_changes.mute(writable(home), finding, request, utc_now().date()))


app.add_typer(messages)
app.add_typer(pages)
app.command("forget-user")(forget_user)
app.command("forget-connection")(forget_connection)
