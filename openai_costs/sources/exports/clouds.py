"""The clouds whose bills come as files. Pure."""

from typing import Final

from openai_costs.sources.invoicer import Invoicer

AWS: Final = Invoicer("aws", "AWS", "Amazon Bedrock", "Account")
AZURE: Final = Invoicer("azure", "Microsoft", "Azure OpenAI", "Subscription")
GOOGLE: Final = Invoicer("google", "Google Cloud", "Vertex AI")
