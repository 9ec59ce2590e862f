"""Routing: sources."""
