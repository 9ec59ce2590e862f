"""Contract of the last days of sale: from when a seller no longer sells a model, and who says so."""

import polars as pl

from schemas.base import Table, column

BASES = ("stated", "seed_end", "left_out", "vendor_retired")
BASIS_MEANING = (
    "stated: a source gives the day for every route of the model; seed_end: the transcribed history ends; left_out: every "
    "source has left it out, confirmed by a second document; vendor_retired: the developer of closed weights retired it"
)


class ModelRetirement(Table):
    """From which day a seller no longer sells a model. After it the model is in no frontier, index or median."""

    provider: str = column("canonical seller or host", derived_from=("llm_price.provider",))
    model: str = column("canonical model, key of core.model", derived_from=("llm_price.model",))
    retired_on: pl.Date = column("first day without sale; it may lie ahead", derived_from=("llm_price.deprecated_on",))
    source: str = column("source of the day", derived_from=("llm_price.source",))
    source_model: str = column("route that states it, as the source writes it", derived_from=("llm_price.source_model",))
    basis: str = column(BASIS_MEANING, isin=BASES)

    class Config:
        name = "core.model_retirement"
        unique = ["provider", "model"]
