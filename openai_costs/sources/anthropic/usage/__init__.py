"""What was used at Anthropic: tokens and web searches, from the report beside the bill."""
