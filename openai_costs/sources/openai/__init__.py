"""The OpenAI Administration API: what is asked, how it is paged, what a page means.

Belongs here: the vendor's own words (bucket, results, amount). Does not: any question about spend.
"""
