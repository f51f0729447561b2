"""The family of errors is drawn in one place, with all its members."""

import ast
import re
from pathlib import Path

import openai_costs
from openai_costs.kernel import errors

PACKAGE = Path(openai_costs.__file__).parent
NAME = re.compile(r"\b(?:[A-Z][a-z]+){2,}\b|\bStopped\b|\bOpenAICostsError\b")


def family() -> set[str]:
    """What any module derives from the first of the family, by any way; no private names."""
    trees = [ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {
        one.name: {base.id for base in one.bases if isinstance(base, ast.Name)} for one in classes
    }
    found, before = {"OpenAICostsError"}, set[str]()
    while found != before:
        before = found
        found = found | {name for name, its in bases.items() if its & found}
    return {name for name in found if not name.startswith("_")}


def test_every_member_of_the_family_is_named_where_it_is_drawn_and_no_other():
    assert {*NAME.findall(errors.__doc__ or "")} == family()
