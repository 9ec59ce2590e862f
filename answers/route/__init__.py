"""Whether routing pays on a user's own items."""
