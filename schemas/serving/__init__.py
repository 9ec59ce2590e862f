"""Serving: contracts."""
