"""Serving: sources."""
