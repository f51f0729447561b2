"""`[storage]` and `[publish]`: how a home, and what it publishes, is protected where it rests."""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from openai_costs.settings.error_texts import SettingRefused
from openai_costs.settings.secrets import SecretPlace
from openai_costs.settings.section import Section, VariableName, written_as

KeyId = Annotated[
    str, written_as(r"[\w:/+=,.@-]+", "must be the id, the alias or the ARN of a key of AWS KMS")
]


class Storage(Section):
    """What a home must be stored on."""

    encryption: Literal["required"] | None = None
    """`required`: a home that does not rest encrypted is refused."""
    kms_key_id: KeyId | None = None
    """The key of AWS KMS with which S3 encrypts; without it, S3 uses keys of its own."""

    @model_validator(mode="after")
    def _key_is_used(self) -> Self:
        if self.kms_key_id and self.encryption is None:
            raise SettingRefused(
                'needs encryption = "required" beside it: without it nothing asks for the key',
                ("kms_key_id",),
            )
        return self


class Publish(Section):
    """How the published database is protected."""

    encryption_key_env: VariableName | None = None
    """The variable with the key of the published database; without it, it is not encrypted."""

    @property
    def key_place(self) -> SecretPlace | None:
        """Where the key is; None where nothing is encrypted."""
        if self.encryption_key_env is None:
            return None
        return SecretPlace("env", self.encryption_key_env, "encryption_key_env")
