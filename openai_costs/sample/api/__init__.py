"""The wire of the sample organization: the vendors' APIs as they answer, served or in process."""
