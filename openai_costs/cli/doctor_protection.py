"""How what rests in a home is protected, as facts."""

from collections.abc import Iterator

from upath import UPath

from openai_costs.kernel.formatting import counted
from openai_costs.sources.provider import Diagnosis
from openai_costs.storage.files import is_local
from openai_costs.storage.permissions import open_to_others


def permission_facts(home: UPath) -> Iterator[Diagnosis]:
    """Yield whether other accounts of this machine can read what a home holds."""
    if not is_local(home):
        return
    if found := list(open_to_others(home)):
        yield Diagnosis(
            "WARN",
            "permissions",
            f"{counted(len(found), 'path')} below {home} can be read or changed by other accounts, "
            f"such as {found[0]}. "
            "Run openai-costs backfill: it closes those of this account.",
        )
    else:
        yield Diagnosis("OK", "permissions", "only this account can read the files of the home")
