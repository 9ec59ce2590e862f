"""Evidence: assets."""
