"""Levers: assets."""
