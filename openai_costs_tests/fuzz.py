"""Follows the code with inputs that reach more and more of it (atheris, libFuzzer): an opt-in.

`pip install atheris`, then `python -m openai_costs_tests.fuzz DOOR -max_total_time=600`; a door is
settings, people, meter or pages, and further options are those of libFuzzer. Inputs are made as in
test_any_input.py and test_any_page.py; what is found becomes an example there.
"""

import sys
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import atheris
from hypothesis import given

with atheris.instrument_imports(include=["openai_costs", "tomllib"]):
    from openai_costs_tests import test_any_input as inputs
    from openai_costs_tests import test_any_page as pages

SCRATCH = TemporaryDirectory()
FOLDER = Path(SCRATCH.name)
LONG_INPUTS = ("-len_control=0", "-max_len=4096")
"""From the first input on: a short one is used up before much of a file is chosen."""


class Led(Random):
    """Chooses as an input says, and the first thing where it says nothing."""

    def __init__(self, content: bytes) -> None:
        super().__init__(0)
        self._left = BytesIO(content)

    def getrandbits(self, k: int, /) -> int:
        """Return so many bits of what is left of the input."""
        size = (k + 7) // 8
        return int.from_bytes(self._left.read(size).ljust(size, b"\0")) >> (8 * size - k)

    def random(self) -> float:
        """Return a number from 0 to 1."""
        return self.getrandbits(53) / 2**53


@given(text=inputs.settings_texts)
def settings(text: str) -> None:
    """Read a settings file."""
    inputs.use_settings(FOLDER / "openai_costs.toml", text)


@given(file=inputs.people_files)
def people(file: tuple[str, bytes]) -> None:
    """Read a list of people."""
    inputs.use_people(*file)


@given(file=inputs.meter_files)
def meter(file: tuple[str, bytes]) -> None:
    """Read a meter file."""
    inputs.use_meter(FOLDER, *file)


DOORS = {"settings": settings, "people": people, "meter": meter}


def main(door: str, options: list[str]) -> None:
    """Look behind a door until it is time, or something is found; atheris then ends the process."""
    with pages.read_company(FOLDER) if door == "pages" else nullcontext() as there:

        def one_input(content: bytes) -> None:
            if there is None:
                DOORS[door].hypothesis.fuzz_one_input(content)
            else:
                pages.use_changed(there, Led(content), repr(content))

        atheris.Setup([door, *LONG_INPUTS, *options], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
