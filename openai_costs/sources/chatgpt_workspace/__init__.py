"""ChatGPT Business and Enterprise, and Codex: credits by person, product and model.

Belongs here: the vendor's own words (compliance logs, events, credits). Does not: any question
about spend. Another product than OpenAI's API, with another key and another bill.
"""
