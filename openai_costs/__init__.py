"""What your AI costs, who spends it, and whether you can believe the number."""
