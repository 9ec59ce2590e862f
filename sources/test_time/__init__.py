"""Test-time compute: sources."""
