"""Contract of the price history shipped with this project: every row with its own document and date."""

from schemas.base import column
from schemas.prices.llm_prices import RawLlmPrice

SEED_BASES = ("primary", "secondary", "derived")
SEED_BASIS_MEANING = (
    "primary: from a document that cites the vendor's own page; secondary: as a data set or the press shows it; "
    "derived: a published blend, split into legs by another row named in the note"
)


class LlmPriceSeed(RawLlmPrice):
    """Dated token prices transcribed from documents; sellers and models carry their canonical names."""

    basis: str = column(SEED_BASIS_MEANING, isin=SEED_BASES)
    source_title: str = column("document the price was taken from")
    source_url: str = column("where the document is published")
    note: str = column("what else the reader has to know", nullable=True)

    class Config:
        name = "raw.llm_price_seed"
        unique = [
            "source_provider",
            "source_model",
            "leg",
            "tier_min_tokens",
            "variant",
            "price_window",
            "valid_from",
            "source_key",
        ]
