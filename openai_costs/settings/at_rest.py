"""`[publish]`: how what a home publishes is protected where it rests."""

from openai_costs.settings.secrets import SecretPlace
from openai_costs.settings.section import Section, VariableName


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
