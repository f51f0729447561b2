"""What settings say of a connection to Bedrock's costs on AWS's bill."""

from collections.abc import Hashable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.section import written_as
from openai_costs.sources.exports.settings import ExportConnection

Region = Annotated[str, written_as(r"[a-z]{2}(-[a-z]+)+-\d", "must be a region of AWS: us-east-1")]


class BedrockConnection(ExportConnection):
    """Bedrock on the bill of one AWS payer account."""

    provider: Literal["bedrock"] = "bedrock"
    files: tuple[str, ...] = ()
    host: Literal["aws"] = "aws"
    cost_explorer: bool = False
    """Whether Cost Explorer is asked where there are no exports; each request costs money."""
    region: Region = "us-east-1"
    """Whose endpoint Cost Explorer is asked at."""
    profile: str | None = Field(default=None, min_length=1)
    """The profile of AWS's own settings whose credentials are used."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.files and self.cost_explorer:
            raise SettingRefused(
                "is for an account without exports: leave it out, or remove `files`",
                ("cost_explorer",),
            )
        if not (self.files or self.cost_explorer):
            raise SettingRefused(
                "is missing: name the exports (CUR 2.0 or FOCUS), or set cost_explorer = true, "
                "which AWS charges for",
                ("files",),
            )
        return self

    @property
    def source_mark(self) -> Hashable:
        """The files, or the profile whose account Cost Explorer is asked for."""
        return f"profile {self.profile or 'default'}" if self.cost_explorer else super().source_mark
