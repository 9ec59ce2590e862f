"""Verdicts on claims, and published figures recomputed from each other."""
