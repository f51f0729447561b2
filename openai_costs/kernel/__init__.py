"""What every room speaks: days, money, errors, formatting. Knows no other room."""
