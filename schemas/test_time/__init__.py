"""Test-time compute: contracts."""
