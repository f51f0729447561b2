"""Who and what there is at any provider: eight tables, folded from all kept reads of its lists.

Belongs here: what is the same for every provider. Not here: which lists a provider has and what an
entry of them says (the provider's own `organization/`), the company's own people (`people`).
"""
