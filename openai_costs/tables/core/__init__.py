"""The layer `core`: typed, provider-neutral tables from the newest complete read of a day."""
