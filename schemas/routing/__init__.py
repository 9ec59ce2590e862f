"""Routing: contracts."""
