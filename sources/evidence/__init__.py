"""Evidence: sources."""
