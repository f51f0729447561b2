"""The inbound edge: everything that enters the project enters here.

One folder per provider, each with the same five names: source, endpoints, protocol, frames, assets.
`transport` moves bytes, `registry` is the only name the rest of the project sees.
Not here: any question about the data.
"""
