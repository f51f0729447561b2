"""What was used: tokens, requests and other quantities, at each endpoint's finest grain."""

import datetime as dt
from typing import Any

from openai_costs.tables.contract import Contract, Quantity, column


def _tokens(description: str) -> Any:  # noqa: ANN401 - pandera's own field type
    text = f"{description}; null, never 0, where the provider does not say."
    return column(text, unit="tokens", nullable=True, ge=0)


class Usage(Contract):
    """What was used, by endpoint and dimension.

    One row per connection, UTC day, endpoint, project, user, API key, model, batch, service tier
    and the endpoint's own dimensions. input_tokens = cached + cache write + uncached, where all are
    known. A dimension the endpoint does not have is null.
    """

    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider whose API was used.")
    day: dt.date = column("The UTC day of the usage.", unit="UTC day")
    endpoint: str = column("The usage endpoint: completions, embeddings, images, ...")
    project_id: str = column("The project; null if the provider named none.", nullable=True)
    user_id: str = column("The user or service account; null if none was named.", nullable=True)
    api_key_id: str = column("The API key; null for usage without a key.", nullable=True)
    model: str = column("The model; null if the endpoint has none.", nullable=True)
    batch: bool = column("Whether the Batch API was used; null if unknown.", nullable=True)
    service_tier: str = column("default, flex, priority, ...; null if unknown.", nullable=True)
    api_source: str = column("agents_api or unlabeled; null if unknown.", nullable=True)
    image_size: str = column("Image size, as in 1024x1024.", nullable=True)
    image_source: str = column("image.generation, image.edit, ...", nullable=True)
    vector_store_id: str = column("The vector store searched.", nullable=True)
    context_level: str = column("Web search context: low, medium, high.", nullable=True)
    input_tokens: int = _tokens("All input tokens, cached ones included")
    input_uncached_tokens: int = _tokens("Input tokens neither read from nor written to the cache")
    input_cached_tokens: int = _tokens("Input tokens read from the cache")
    input_cache_write_tokens: int = _tokens("Input tokens written to the cache")
    input_cache_write_5m_tokens: int = _tokens("Cache writes kept for 5 minutes")
    input_cache_write_1h_tokens: int = _tokens("Cache writes kept for an hour")
    input_cache_write_30m_tokens: int = _tokens("Cache writes kept for 30 minutes")
    input_cache_write_12h_tokens: int = _tokens("Cache writes kept for 12 hours")
    input_text_tokens: int = _tokens("Uncached text input")
    input_audio_tokens: int = _tokens("Uncached audio input")
    input_image_tokens: int = _tokens("Uncached image input")
    input_cached_text_tokens: int = _tokens("Cached text input")
    input_cached_audio_tokens: int = _tokens("Cached audio input")
    input_cached_image_tokens: int = _tokens("Cached image input")
    output_tokens: int = _tokens("All output tokens")
    output_text_tokens: int = _tokens("Text output")
    output_audio_tokens: int = _tokens("Audio output")
    output_image_tokens: int = _tokens("Image output")
    num_model_requests: int = column(
        "Requests made to the model; null if not counted.", unit="requests", nullable=True, ge=0
    )
    quantity: Quantity = column(
        "Quantity of anything other than tokens, in quantity_unit; null for tokens.",
        unit="quantity_unit",
        nullable=True,
        ge=0,
    )
    quantity_unit: str = column(
        "images, characters, seconds, bytes, sessions or calls; null for tokens.", nullable=True
    )

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = (
            "connection",
            "day",
            "endpoint",
            "project_id",
            "user_id",
            "api_key_id",
            "model",
            "batch",
            "service_tier",
            "api_source",
            "image_size",
            "image_source",
            "vector_store_id",
            "context_level",
        )
