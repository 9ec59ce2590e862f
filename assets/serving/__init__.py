"""Serving: assets."""
