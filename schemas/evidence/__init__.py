"""Evidence: contracts."""
