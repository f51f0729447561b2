"""What behind a gateway is OpenAI's, and which of its keys settings declare to be so. Pure."""

from collections.abc import Sequence

import polars as pl

from openai_costs.sections import Upstream

PROVIDERS = ("openai", "text-completion-openai")


def is_openai() -> pl.Expr:
    """Return whether a row of the meter went to OpenAI; one that does not say is taken to."""
    return pl.col("upstream_provider").is_in(PROVIDERS).fill_null(True)


def is_declared_key(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare a row's api_key_id to be one of the gateway's."""
    keys = [one.api_key_id for one in upstreams if one.api_key_id]
    return pl.col("api_key_id").is_in(keys).fill_null(False)


def is_declared_project(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare all keys of a row's project_id to be the gateway's."""
    projects = [one.project_id for one in upstreams if one.project_id and not one.api_key_id]
    return pl.col("project_id").is_in(projects).fill_null(False)
