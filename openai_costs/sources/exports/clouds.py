"""The clouds whose bills come as files. Pure."""

from typing import Final

from openai_costs.sources.invoicer import Invoicer

AWS: Final = Invoicer(
    "aws",
    "AWS",
    "Amazon Bedrock",
    "Account",
    "AWS names the IAM principal of a line (line_item_iam_principal) only in a CUR 2.0 export with "
    "caller identity data.",
)
AZURE: Final = Invoicer(
    "azure",
    "Microsoft",
    "Azure OpenAI",
    "Subscription",
    "Azure's export names a resource (ResourceId) and a subscription, no user and no key.",
)
GOOGLE: Final = Invoicer(
    "google",
    "Google Cloud",
    "Vertex AI",
    attribution="Google's export names a project, no user and no key.",
)
