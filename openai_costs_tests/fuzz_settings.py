"""Follows the code that reads a settings file with inputs that reach more of it: an opt-in.

`pip install atheris`, then `python -m openai_costs_tests.fuzz_settings -runs=100000`. What it finds
becomes an example in test_any_input.py.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["openai_costs.settings", "tomllib"]):
    from openai_costs.kernel.errors import OpenAICostsError
    from openai_costs.settings.load import settings_of
    from openai_costs.settings.settings_file import content_of
    from openai_costs.sources.registry import connection_kinds

FILE = Path(tempfile.mkdtemp()) / "openai_costs.toml"


def one_input(data: bytes) -> None:
    """Read a file of some bytes; anything but a sentence ends the fuzzer with what it found."""
    FILE.write_bytes(data)
    try:
        content, text = content_of(FILE)
        settings_of(content, connection_kinds(), "./data", FILE, text)
    except OpenAICostsError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
