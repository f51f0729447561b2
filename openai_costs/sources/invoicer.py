"""Who invoices, in the words of invoices and of FOCUS: a name, a service, a sub-account. Pure.

A provider names those whose bills it reads; a file of a cloud's bill may be of several. Whoever is
not named here is shown by the value of `host`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Invoicer:
    """One who invoices.

    Args:
        host: The value of `host` in core.spend.
        name: The company, as people write it.
        service: What is bought there.
        sub_account: What its bill calls what we call a project.
        attribution: Whom its bill names for a dollar, in its own words: one sentence.
    """

    host: str
    name: str
    service: str
    sub_account: str = "Project"
    attribution: str = ""
