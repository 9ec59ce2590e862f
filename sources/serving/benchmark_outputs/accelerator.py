"""Canonical GPU of a run, from the names that benchmark tools and result tables write."""

from sources.prices.gpu_names import is_not_a_gpu, named, near, variants


def canonical_gpu(name: str | None) -> str | None:
    """Canonical GPU, such as h100-sxm; None where the name is unknown, leaves the product open, or lists several."""
    found = named(name)
    return found.gpu if found.basis == "named" else None


def require_gpu(name: str) -> None:
    """ValueError for a word that is no accelerator, with the nearest that are. A name that leaves the product open is one."""
    found = named(name)
    if found.gpu is not None or found.can_mean or is_not_a_gpu(name):
        return
    if "," in name:
        raise ValueError(f"run metadata: gpu {name!r} names several accelerators; a run is of one kind")
    known = {variant.gpu for meanings in variants().values() for variant in meanings}
    meant = near(name, known)
    hint = f"did you mean {' or '.join(meant)}?" if meant else "see core.gpu for those that are known"
    raise ValueError(f"run metadata: {name!r} is no accelerator that is known; {hint}")
