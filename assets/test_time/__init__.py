"""Test-time compute: assets."""
