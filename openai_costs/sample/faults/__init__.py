"""What can go wrong on the wire, and how a page looks when it is corrupted."""
