"""GET /organization/costs: three reads of a day, from the page to frames."""
