"""Prices of models and GPUs: contracts."""
