"""The layer `mart`: the answer to one question, and the reason."""
