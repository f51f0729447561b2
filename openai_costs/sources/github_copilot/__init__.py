"""GitHub Copilot's bill and seats: what is asked, and what a line of it means.

Belongs here: the vendor's own words (AI credits, premium requests, net and gross). Does not: any
question about spend.
"""
