"""Contract of the break-even sweep: the columns of the surface, on a finer grid, kept by GPU and model."""

from schemas.serving.surface import BreakEvenSurface


class BreakEvenSweep(BreakEvenSurface):
    """Which design serves a token within its contract most cheaply, for one GPU and model on a grid finer than the surface's.

    Prompts of 3,500 tokens, running sequences of 4,096, BF16, p99 bounds; TPOT is read on every interval between tokens.
    """

    class Config:
        name = "partitions.break_even_sweep"
