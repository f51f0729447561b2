"""What Bedrock's connections make of exports and answers: which rows, and what their words mean."""

from dataclasses import replace
from typing import Final

import polars as pl

from openai_costs.settings.connection import Connection
from openai_costs.sources.bedrock.columns import CUR, IS_BEDROCK
from openai_costs.sources.bedrock.cost_explorer import COST_EXPLORER
from openai_costs.sources.bedrock.principals import user_and_key
from openai_costs.sources.bedrock.usage_types import bedrock_meaning
from openai_costs.sources.exports.charges import Meaning, Vocabulary
from openai_costs.sources.exports.focus import FOCUS
from openai_costs.sources.exports.settings import currency_of
from openai_costs.sources.exports.sheets import Rules

HOST: Final = "aws"


def rules(connection: Connection) -> Rules:
    """Return what a connection makes of a file."""
    return Rules((CUR, FOCUS), IS_BEDROCK, pl.lit(value=False), currency_of(connection))


def rules_of_kept(connection: Connection) -> Rules:
    """Return the same for what is kept: days of Cost Explorer stay when exports follow them."""
    return replace(rules(connection), dialects=(CUR, FOCUS, COST_EXPLORER))


def _host(_connection: Connection, _vendor: str | None, _invoicer: str | None) -> str:
    return HOST


def _meaning(_host: str, service: str, label: str) -> Meaning:
    return bedrock_meaning(service, label)


WORDS: Final = Vocabulary(_host, _meaning, user_and_key)
