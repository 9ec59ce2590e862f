"""Canonical GPU of a run, from the names that benchmark tools and result tables write."""

import re
from functools import lru_cache

from sources.prices import gpu_names

_SEVERAL = re.compile(r"\(x\d+\)|,")
_WORDS_BESIDE_THE_NAME = re.compile(r"\b(virtualized|hbm\d\w?)\b", re.IGNORECASE)


@lru_cache(maxsize=1024)
def canonical_gpu(name: str | None) -> str | None:
    """Canonical GPU, such as h100-sxm; None where the name is unknown, leaves the product open, or lists several.

    The kind of memory is dropped from a name only after the name with it is unknown: "H100 HBM3" is the SXM part.
    """
    if name is None or _SEVERAL.search(name):
        return None
    return gpu_names.resolve(name).gpu or gpu_names.resolve(_WORDS_BESIDE_THE_NAME.sub(" ", name)).gpu
