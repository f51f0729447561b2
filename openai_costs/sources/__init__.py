"""What comes in: a folder for each provider, the gateway, the company's people, what they share.

A provider's folder has its own words, endpoints and pages, and hands over a `Provider`
(provider.py); registry.py lists the providers and is the only name that the rest of the project
sees. `http/` moves bytes, ingest.py reads and keeps what came, organization/ makes tables of what
any provider lists. Not here: any question about the data.
"""
