"""Routing: assets."""
