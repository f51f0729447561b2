"""Forgets a person: every byte that names them goes, their dollars stay under a pseudonym.

The promise is written down first, so that nothing that is read from then on names them; then comes
what was kept before, and what is published. A command that was killed is finished by the next one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import counted, exact_dollars, listed
from openai_costs.kernel.known_texts import known_of, person_of, scope_of
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.orchestration.history import forget_people
from openai_costs.outputs.forgetting.byte_scan import Scan, own_files, scan
from openai_costs.outputs.forgetting.directory import person_called
from openai_costs.outputs.forgetting.people import Person
from openai_costs.outputs.forgetting.unfinished import Unfinished
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.publication import publication_of
from openai_costs.outputs.publish.verification import Verified, verify
from openai_costs.outputs.report.cost_explorer import write_report
from openai_costs.settings.load import Settings, has_dagster_home
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.storage.files import is_local, place
from openai_costs.storage.forget_key import key_file, made_key
from openai_costs.storage.forgotten import home_key, pseudonyms_of, remember
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import no_writers
from openai_costs.storage.record import FOLDER, Entry, Record
from openai_costs.storage.rewriting import rewrite_home

CONFIRMATIONS = "forgettings"
"""The table of the record with the proof of each forgetting."""

MOST_PLACES = 5
Say = Callable[[str], None]


@dataclass(frozen=True)
class Forgetting:
    """A person to forget, in a home.

    Args:
        settings: Whose home, and where the key is kept.
        person: Whom.
        texts: What the proof searches: all that names no one else.
        before: Where the person is now.
        text: What the command was given.
        is_lost: Whether a killed command knew more of them, which cannot be read any more.
    """

    settings: Settings
    person: Person
    texts: list[str]
    before: Scan
    text: str
    is_lost: bool = False

    @property
    def home(self) -> UPath:
        """The home."""
        return place(self.settings.home)

    def plan(self) -> Iterator[str]:
        """Yield what would be done."""
        yield f"{self.person} is in {counted(len(self.before.places), 'place')} below {self.home}."
        yield from self._maybe()
        yield (
            "Nothing was changed. With --yes, every id, name and address of theirs goes from all "
            "that is kept and published, and from all that is read later. Their dollars stay, "
            "under a pseudonym; all totals stay the same. It cannot be undone."
        )

    def carry_out(self, now: datetime, say: Say) -> bool:
        """Forget the person; return whether nothing is left and every total is as it was.

        Raises:
            LockHeld: Another process writes, and does not end.
            PublicationRefused: The days do not tie out, so that nothing new can be published.
            StorageFailed: A table cannot be read or written; the next command goes on.
        """
        forgotten = self._promise(now)
        unfinished = Unfinished(self.settings, self.person.whose or forgotten.whose(self.text))
        unfinished.begin(self.person)
        say("pages, tables, record and history")
        with no_writers(self.home):
            rewrite_home(self.home, Lake(self.home), forgotten, now)
            forget_people(self.home, forgotten)
        say("database, files and page")
        left = self._published(now)
        if not left.rest:
            unfinished.end()
        verified = verify(self.settings, lambda _: None)
        named = [*sorted(self.person.names & {*self.texts}), *self.texts]
        pseudonym = forgotten.text(named[0]) if named else "a pseudonym"
        file = self._confirmed(now, left, pseudonym)
        for line in self._proof(left, verified, pseudonym, file):
            say(line)
        return not left.rest and (verified.holds or verified.settled.is_empty())

    def _promise(self, now: datetime) -> Pseudonyms:
        """Write down whom to forget from now on."""
        key = home_key(self.home)
        key = key or made_key(key_file(self.settings.config_file, self.home))
        who = min((*self.person.ids, *self.person.emails, *self.person.names))
        whose = self.person.whose or person_of(key.secret, who)
        rows = [
            known_of(key.secret, kind, text, whose, is_shared=text in self.person.shared)
            for kind, text in self.person.texts()
        ]
        remember(self.home, rows, key, now.date())
        forgotten = pseudonyms_of(self.home)
        if forgotten is None:
            raise SettingsError(f"{self.home / FOLDER} does not keep what is written to it.")
        return forgotten

    def _published(self, now: datetime) -> Scan:
        """Publish anew; return where the person still is.

        Days that a killed run left in part keep their last published rows: where these name the
        person, they are not published until they are read again.
        """
        lake, key = Lake(self.home), publication_key(self.settings)
        publish(self.home, lake, key)
        write_report(publication_of(self.settings), now)
        left = scan(self.home, self.texts, key)
        if any(one.startswith("published/") for one in left.places):
            (self.home / DATABASE).unlink()
            publish(self.home, lake, key)
            left = scan(self.home, self.texts, key)
        return left

    def _confirmed(self, now: datetime, left: Scan, pseudonym: str) -> UPath:
        """Keep the proof in the record; it names no one."""
        record = Record(self.home)
        number = record.folded(CONFIRMATIONS, ("at", "pseudonym")).number + 1
        row = {
            "at": now.isoformat(),
            "pseudonym": pseudonym,
            "searched_files": dict(left.searched),
            "places_before": len(self.before.places),
            "places_left": len(left.rest),
        }
        record.append(CONFIRMATIONS, number, Entry([row]))
        return record.root / CONFIRMATIONS / f"{number:08}.json"

    def _proof(self, left: Scan, verified: Verified, pseudonym: str, file: UPath) -> Iterator[str]:
        files = ", ".join(f"{name} {count:,}" for name, count in left.searched.items() if count)
        yield f"{self.person} is {pseudonym} from now on."
        yield (
            f"Searched every byte of {counted(sum(left.searched.values()), 'file')} ({files}): "
            f"{counted(len(self.before.places), 'place')} before, "
            f"{counted(len(left.rest), 'place')} left."
        )
        if left.rest:
            yield f"Left: {listed(left.rest, MOST_PLACES)}. Run the command again."
        if verified.holds:
            days = counted(verified.settled.height, "settled day")
            yield f"{days} tie out, {exact_dollars(verified.billed_usd)} in all, difference 0."
        elif not verified.settled.is_empty():
            yield "Not every day ties out: openai-costs verify says which."
        yield f"The proof is kept in {file}. It names no one."
        yield from self._remarks(left.resembling)

    def _settings(self) -> Iterator[str]:
        """Yield what to write into the settings, so that teams and budgets stay as they are."""
        forgotten, file = pseudonyms_of(self.home), self.settings.config_file
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        named = [one for one in sorted(self.person.ids) if f'"{one}"' in text]
        if forgotten and named:
            pairs = ", ".join(f"{forgotten.identifier(one)} for {one}" for one in named)
            yield f"In {file}, write {pairs}: by it, teams and scopes still find the dollars."

    def _maybe(self) -> Iterator[str]:
        if self.person.maybe:
            yield (
                f"{listed(sorted(self.person.maybe), MOST_PLACES)} may be theirs too. Each is "
                "forgotten by a command of its own: openai-costs forget-user NAME."
            )

    def _remarks(self, longer: frozenset[str]) -> Iterator[str]:
        """Yield what this command cannot do."""
        if self.is_lost:
            yield (
                "An earlier command for them was killed, and what it knew cannot be read any more: "
                "only what is found of them now was searched. Run it once for each other id, name "
                "and address of theirs that you know."
            )
        if self.person.shared:
            yield (
                f"{listed(sorted(self.person.shared), MOST_PLACES)} is the name of others too: "
                "replaced where it stands beside an id or an address of theirs, and not searched."
            )
        yield from self._maybe()
        if longer:
            yield (
                f"Longer words that hold one of the texts may be of others, and were left: "
                f"{listed(sorted(longer), MOST_PLACES)}. If one is theirs, forget it too."
            )
        short = [text for kind, text in self.person.texts() if scope_of(kind, text) != "anywhere"]
        if short:
            yield (
                f"{counted(len(short), 'text')} may mean something else too (a short name, a "
                "number): replaced where it stands alone, and not searched in every byte."
            )
        if own := list(own_files(self.home, UPath(self.settings.config_file), self.texts)):
            yield (
                f"Files of your own, which this command does not change, still have the names: "
                f"{listed(own, MOST_PLACES)}. What is read from them is kept without."
            )
        yield from self._settings()
        if not is_local(self.home):
            yield (
                "A bucket that keeps versions still has the old ones, which this command cannot "
                "delete: let a lifecycle rule expire noncurrent versions."
            )
        if has_dagster_home():
            yield "DAGSTER_HOME is not below the home, and was not searched: delete its old runs."


def forgetting(settings: Settings, text: str) -> Forgetting:
    """Return the forgetting of the person with an id, a name or an address.

    Raises:
        SettingsError: There is no such person, or several; the sentence lists them.
    """
    home, secret = place(settings.home), publication_key(settings)
    person, known = person_called(home, text, secret), pseudonyms_of(home)
    whose = person.whose or (known.whose(text) if known else None)
    unfinished = Unfinished(settings, whose)
    if (before := unfinished.person()) is not None:
        person.add(before)
        person.shared |= before.shared
        person.maybe |= before.maybe
    texts = [
        one
        for kind, one in person.texts()
        if scope_of(kind, one) == "anywhere" and one not in person.shared
    ]
    where = scan(home, texts, secret)
    return Forgetting(settings, person, texts, where, text, unfinished.is_lost)
