"""What was used: the usage endpoints of OpenAI's API, kept as pages and cleaned into core.usage.

Belongs here: how these endpoints are asked and understood. Not here: dollars (the folder above).
"""
