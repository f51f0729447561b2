"""The sample company's ChatGPT workspace, and the wire that its cost events come by."""
