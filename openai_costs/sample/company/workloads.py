"""What the company does on an ordinary day: which key (or none) buys what, and in which rhythm.

A workload's mix is units per full working day at today's size. Incidents are not here, they are
in `events.py` and come on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.company.activity import (
    PERMILLE,
    Rhythm,
    draw,
    growth_permille,
    wobble_permille,
)
from openai_costs.sample.company.company import LEAVER_LEFT_AGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from openai_costs.sample.company.fixtures import Fixtures

_SPREAD: Final = 140
# An age no clock reaches: work that has not ended.
_STILL_GOING: Final = -100_000


class Place(NamedTuple):
    """Where money lands: the vendor's dimensions, None or "" where it names none."""

    project_id: str | None
    user_id: str | None
    api_key_id: str | None
    api_source: str | None


class Bought(NamedTuple):
    """Units of one line item bought at one place in one day."""

    place: Place
    line_item: str
    units: int


@dataclass(frozen=True, slots=True)
class Workload:
    """Units bought per full day at one place, between two ages in days before today."""

    place: Place
    rhythm: Rhythm
    mix: tuple[tuple[str, int], ...]
    first_age: int
    last_age: int
    is_erratic: bool = False


def _text(model: str, input_k: int, cached_k: int, output_k: int) -> tuple[tuple[str, int], ...]:
    """A text model's three line items from thousands of tokens a day."""
    thousands = (("input", input_k), ("cached input", cached_k), ("output", output_k))
    return tuple((f"{model}, {side}", count * 1000) for side, count in thousands)


_SOL_EXTRAS: Final = (
    ("gpt-5.6-sol, cache writes", 700_000),
    ("priority | gpt-5.6-sol, output, long context", 90_000),
    # One document a day that does not fit into the usual context.
    ("priority | gpt-5.6-sol, input, long context", 280_000),
)
_IMAGES: Final = (
    ("gpt-image-2.5-flare text, input", 300_000),
    ("gpt-image-2.5-flare text, cached input", 0),
    ("gpt-image-2.5-flare image, output", 900_000),
)
_AUDIO: Final = (
    ("gpt-audio-mini-2025-12-15 audio, input", 800_000),
    ("gpt-audio-mini-2025-12-15 audio, output", 500_000),
    ("whisper-1", 21_600),
    ("tts-1-hd", 240_000),
)
_SEARCH: Final = (
    *_text("gpt-5-search-api-2025-10-14", 2_600, 0, 400),
    ("web search tool calls", 450),
)
_BATCHES: Final = (
    ("batch | gpt-5.6-sol, input", 500_000),
    ("batch | gpt-5.6-sol, output", 120_000),
)
_DIGESTS: Final = "gpt-5.4-mini-2026-03-17"
_TIDELINE: Final = (("gpt-6-tideline, input", 60_000), ("gpt-6-tideline, output", 20_000))
_AGENTS: Final = "agents_api"
_UNLABELED: Final = "unlabeled"

_TUNED: Final = (
    ("ft-gpt-4o-mini-2024-07-18, input", 6_000_000),
    ("ft-gpt-4o-mini-2024-07-18, output", 1_400_000),
)

# key suffix, api_source, rhythm, mix
_KEYED: Final[tuple[tuple[str, str, Rhythm, tuple[tuple[str, int], ...]], ...]] = (
    ("route_prod", _UNLABELED, Rhythm.PRODUCT, _text("gpt-5.4-2026-03-05", 9_000, 14_000, 2_100)),
    ("route_staging", _UNLABELED, Rhythm.OFFICE, _text("gpt-5-mini-2025-08-07", 2_500, 600, 300)),
    ("route_ruben", _UNLABELED, Rhythm.OFFICE, _text("gpt-5.4-2026-03-05", 600, 0, 110)),
    ("desk_prod", _UNLABELED, Rhythm.PRODUCT, _text("gpt-5-mini-2025-08-07", 16_000, 9_000, 3_900)),
    ("desk_prod", _UNLABELED, Rhythm.PRODUCT, (("omni-moderation-latest, input", 6_000_000),)),
    ("desk_prod", _AGENTS, Rhythm.PRODUCT, _text("gpt-5-mini-2025-08-07", 4_000, 2_000, 900)),
    # Sorts tickets: a model that was fine-tuned, asked through the gateway.
    ("desk_prod", _UNLABELED, Rhythm.PRODUCT, _TUNED),
    ("desk_agents", _AGENTS, Rhythm.PRODUCT, _text("gpt-5.6-sol", 2_400, 3_800, 420) + _SOL_EXTRAS),
    ("desk_mirela", _UNLABELED, Rhythm.OFFICE, _text("gpt-5.4-2026-03-05", 250, 0, 80)),
    ("search_prod", _UNLABELED, Rhythm.PRODUCT, _SEARCH),
    ("search_reindex", _UNLABELED, Rhythm.ALWAYS, (("text-embedding-3-large, input", 95_000),)),
    ("search_reindex", _UNLABELED, Rhythm.ALWAYS, _text("gpt-5-mini-2025-08-07", 6_000, 0, 1_200)),
    ("search_sweeps", _UNLABELED, Rhythm.ALWAYS, _text("gpt-5.4-2026-03-05", 1_500, 0, 400)),
    # An old model; several newer ones do the same for less.
    ("search_kaveh", _UNLABELED, Rhythm.OFFICE, _text("gpt-4.1-2025-04-14", 700, 0, 160)),
    ("studio_render", _UNLABELED, Rhythm.PRODUCT, _IMAGES),
    ("studio_amrit", _UNLABELED, Rhythm.OFFICE, (("gpt-image-2.5-sunburst", 160),)),
    ("studio_amrit_2", _UNLABELED, Rhythm.OFFICE, (("gpt-image-2.5-sunburst", 20),)),
    ("voice_prod", _UNLABELED, Rhythm.PRODUCT, _AUDIO),
    ("voice_fr", _UNLABELED, Rhythm.PRODUCT, _AUDIO[2:]),
    ("voice_trial", _UNLABELED, Rhythm.OFFICE, _AUDIO[:2]),
    ("labs_hyejin", _AGENTS, Rhythm.OFFICE, _text("gpt-5.6-sol", 900, 300, 260)),
    ("labs_jonas", _UNLABELED, Rhythm.OFFICE, _text("gpt-5.4-2026-03-05", 800, 100, 240)),
    ("labs_signe", _UNLABELED, Rhythm.OFFICE, (("ft-gpt-4o-2024-08-06, output", 300_000),)),
    ("finance_close", _UNLABELED, Rhythm.OFFICE, _text("gpt-5.4-2026-03-05", 1_800, 500, 350)),
    ("finance_freya", _UNLABELED, Rhythm.OFFICE, _text("gpt-5-mini-2025-08-07", 900, 0, 240)),
    ("finance_freya", _UNLABELED, Rhythm.OFFICE, (("code interpreter sessions", 25),)),
    ("shared_large", _UNLABELED, Rhythm.PRODUCT, _text("gpt-5.4-2026-03-05", 1_900, 700, 420)),
    ("shared_small", _UNLABELED, Rhythm.PRODUCT, _text("gpt-5-mini-2025-08-07", 5_200, 900, 1_100)),
    ("atlas_batch", _UNLABELED, Rhythm.ALWAYS, _text("gpt-4.1-2025-04-14", 3_000, 0, 900)),
)

# Keys whose days are never alike, and what the days are like, in thousandths: idle ones come often.
_ERRATIC: Final = frozenset({"search_sweeps"})
_SWEEPS: Final = (0, 0, 0, 100, 300, 700, 1_500, 3_000)

_NO_AGE: Final = 100_000

# key suffix, api_source, rhythm, mix, ages of the first and the last day: what began or ended
# while its key was in use.
_PHASES: Final[tuple[tuple[str, str, Rhythm, tuple[tuple[str, int], ...], int, int], ...]] = (
    ("evals_naima", _UNLABELED, Rhythm.OFFICE, _text("gpt-5.6-sol", 500, 0, 120), _NO_AGE, 39),
    ("evals_naima", _UNLABELED, Rhythm.OFFICE, _BATCHES, 38, _STILL_GOING),
    ("desk_agents", _AGENTS, Rhythm.PRODUCT, _text("gpt-6-luna", 1_500, 900, 90), 45, _STILL_GOING),
    ("labs_hyejin", _AGENTS, Rhythm.OFFICE, _TIDELINE, 20, _STILL_GOING),
    # Digests that are not urgent, at night and at weekends. One day the time was put at the top
    # of the prompt, and nothing has been read from the cache since.
    ("desk_prod", _UNLABELED, Rhythm.ALWAYS, _text(_DIGESTS, 600, 1_800, 300), _NO_AGE, 17),
    ("desk_prod", _UNLABELED, Rhythm.ALWAYS, _text(_DIGESTS, 2_400, 0, 300), 16, _STILL_GOING),
)

# Money without a key: storage, evals and tools started in the vendor's console, and the
# organization's own commitment. Older surfaces write "" where newer ones write null.
_CONSOLE: Final = Place("proj_route_planner", None, None, _UNLABELED)
_KEYLESS: Final[tuple[tuple[Place, Rhythm, str, int, int], ...]] = (
    (Place(None, None, None, None), Rhythm.ALWAYS, "Scale tier bundle", 12, 400),
    (Place("proj_place_search", None, None, None), Rhythm.ALWAYS, "Vector storage", 2_880, 600),
    (Place("proj_support_desk", None, None, None), Rhythm.ALWAYS, "Vector storage", 960, 600),
    (Place("", "", "", ""), Rhythm.PRODUCT, "assistants api | file search", 900, 1100),
    # Prompts tried out in the console, on the model that the project's keys use too.
    (_CONSOLE, Rhythm.OFFICE, "gpt-5.4-2026-03-05, input", 400_000, 640),
    (_CONSOLE, Rhythm.OFFICE, "gpt-5.4-2026-03-05, output", 90_000, 640),
    (
        Place("proj_model_evals", "", "", _UNLABELED),
        Rhythm.OFFICE,
        "evals | gpt-4o-mini-2024-07-18, input",
        24_000_000,
        640,
    ),
    (
        Place("proj_model_evals", "", "", _UNLABELED),
        Rhythm.OFFICE,
        "evals | gpt-4o-mini-2024-07-18, output",
        5_000_000,
        640,
    ),
)


def _keyed(fixtures: Fixtures, today: date) -> Iterator[Workload]:
    steady = ((*workload, _NO_AGE, _STILL_GOING) for workload in _KEYED)
    for suffix, source, rhythm, mix, first_age, last_age in (*steady, *_PHASES):
        key = fixtures.key_by_id[f"key_{suffix}"]
        used_age = (today - key.last_used_at.date()).days if key.last_used_at else 0
        # The leaver's key goes quiet on the last day at work; what comes after is an incident.
        quiet_age = LEAVER_LEFT_AGE if suffix == "labs_jonas" else (used_age or _STILL_GOING)
        place = Place(key.project_id, key.billed_user_id, key.id, source)
        made_age = (today - key.created_at.date()).days
        first, last = min(made_age, first_age), max(quiet_age, last_age)
        yield Workload(place, rhythm, mix, first, last, is_erratic=suffix in _ERRATIC)


def ordinary_workloads(fixtures: Fixtures, today: date) -> tuple[Workload, ...]:
    """Every workload of the company; a key that is still in use works on after today."""
    keyless = (
        Workload(place, rhythm, ((line_item, units),), first_age, _STILL_GOING)
        for place, rhythm, line_item, units, first_age in _KEYLESS
    )
    return (*_keyed(fixtures, today), *keyless)


def bought(workload: Workload, seed: str, day: date, age: int) -> Iterator[tuple[str, int]]:
    """(line item, units) one workload buys on `day`, which lies `age` days before today."""
    volume = workload.rhythm.value[day.weekday()] * growth_permille(age)
    if volume == 0 or not workload.last_age <= age <= workload.first_age:
        return
    place = workload.place
    if workload.is_erratic:
        volume = volume * _SWEEPS[draw(seed, day, *place) % len(_SWEEPS)] // PERMILLE
    for line_item, units in workload.mix if volume else ():
        chance = wobble_permille(_SPREAD, seed, day, *place, line_item)
        yield line_item, units * volume * chance // PERMILLE**3
