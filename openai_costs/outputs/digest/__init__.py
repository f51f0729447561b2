"""The weekly digest: the first screen of the cost explorer, as a message once a week.

Its numbers and sentences are those of the page model. Routes, channels and the delivery log are
those of outputs/alerts. Not here: the daily digest of a route, which reports findings.
"""
