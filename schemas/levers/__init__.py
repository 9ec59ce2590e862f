"""Levers: contracts."""
