"""Work on parts of an array, one part a thread, for code that releases the interpreter lock."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

THREADS = min(os.cpu_count() or 1, 8)


def in_parts(count: int, work: Callable[[slice], object], *, least: int) -> None:
    """`work` on consecutive slices of `count` items, as many as there are threads but none much below `least` items.

    An error in a part is raised here. The threads end with the call, so that a later fork finds none.
    """
    parts = min(THREADS, -(-count // least))
    if parts <= 1:
        work(slice(0, count))
        return
    cuts = [count * part // parts for part in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(work, map(slice, cuts, cuts[1:])))
