"""Canonical GPU of a run, from the names that benchmark tools and result tables write."""

from sources.prices.gpu_names import named


def canonical_gpu(name: str | None) -> str | None:
    """Canonical GPU, such as h100-sxm; None where the name is unknown, leaves the product open, or lists several."""
    found = named(name)
    return found.gpu if found.basis == "named" else None
