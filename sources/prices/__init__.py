"""Prices of models and GPUs: sources."""
