"""Who there is at Anthropic: workspaces, API keys, users and invites."""
