"""Amazon Bedrock on AWS's bill: CUR 2.0 and FOCUS exports, and Cost Explorer where there are none.

Belongs here: AWS's own words (usage types, services, principals). Does not: which run of an export
counts (exports/), any question about spend.
"""
