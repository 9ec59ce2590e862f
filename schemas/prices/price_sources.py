"""The sources of LLM prices, in one list that everything else follows."""

PRICE_SOURCES: dict[str, tuple[str, str]] = {
    "genai_prices": (
        "Token prices of the genai-prices data set: dated, tiered, with variants.",
        "Model attributes of the genai-prices data set: names, and what its comments say of retirement and of copied prices.",
    ),
    "litellm": ("Token prices of LiteLLM's price file.", "Model attributes of LiteLLM's price file."),
    "models_dev": ("Token prices of models.dev.", "Model attributes of models.dev."),
    "openrouter": (
        "Token prices of the OpenRouter models endpoint: default route of each model.",
        "Model attributes of the OpenRouter models endpoint.",
    ),
}
"""Live sources of LLM prices in the order in which they are believed where no majority is, with what their raw tables hold.

The one list: contracts, assets, the catalogue of sources, ranks and the report follow it. A source is a module
`sources.prices.<name>` with SOURCE, parse_prices and parse_models.
"""
SEEDED, SEEDED_ASSET = "llm_price_seed", "price_history"
"""The seeded history: its source and raw table, and the asset that reads it. It speaks where no live source does."""
RAW_PRICE_TABLES = (*(f"{name}_price" for name in PRICE_SOURCES), SEEDED)
