"""Which canonical model a measured run is of: leaderboards put the setting of the run into the model's name."""

import polars as pl

from sources.prices.model_map import resolve

_SETTING = (
    r"(?i)\s*\((?:none|minimal|low|medium|high|xhigh|max|chat|reasoner|prev|preview|default[^)]*|no[ -]?think[^)]*"
    r"|(?:thinking,? )?\d+k[^)]*)\)"
)
"""Effort, thinking budget or mode, as Aider and ARC Prize write them behind the name."""
_NO_REASONING = r"(?i)no[ -]?think|\(chat\)|\(none\)"


def with_model(runs: pl.DataFrame, *, source: str, name: str) -> pl.DataFrame:
    """Add `model`, the canonical model of each run: by the whole name, else without its setting.

    `source` and `name` are columns of `runs`. NULL for pairs of models ("a + b") and for what the model map does not know.
    """
    alone = pl.when(~pl.col(name).str.contains(r" \+ ")).then(pl.col(name))
    named = runs.select(whole=alone, bare=alone.str.replace_all(_SETTING, "").str.strip_chars(), source=pl.col(source))
    found = [
        resolve(named.select("source", source_provider=pl.lit(""), source_model=pl.col(column).fill_null("")), listed=False)[
            "model"
        ]
        for column in ("whole", "bare")
    ]
    return runs.with_columns(model=found[0].fill_null(found[1]))


def reasons(name: str, reasoning: pl.Expr) -> pl.Expr:
    """Whether a run could emit reasoning tokens: not where its name switches them off, else as its model can.

    `name` is the column of the run's name, `reasoning` the flag of its model; NULL where that is not known.
    """
    return pl.when(pl.col(name).str.contains(_NO_REASONING)).then(pl.lit(False)).otherwise(reasoning)
