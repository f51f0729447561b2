"""What does one person cost, everywhere? Accounts of all vendors, joined with the company's people.

Belongs here: who is one person. Does not: to whom a dollar is attributed (spend), seats (seats).
"""
