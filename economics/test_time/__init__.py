"""What a correct answer costs, and where the next dollar goes."""
