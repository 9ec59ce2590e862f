"""Prices of models and GPUs: assets."""
