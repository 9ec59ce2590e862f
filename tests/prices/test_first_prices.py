"""Forty models whose prices people check first: two sources state the price, or the vendor's dated document does."""

import duckdb
import pytest

MODELS = [
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1",
    "gpt-4.1-mini",
    "o3",
    "o4-mini",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-5.6-sol",
    "gpt-5.6-luna",
    "gpt-6",
    "claude-3.5-haiku",
    "claude-sonnet-4",
    "claude-sonnet-4.5",
    "claude-opus-4.5",
    "claude-opus-5.5",
    "claude-sonnet-5",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "gemini-3-flash",
    "gemini-3-pro",
    "gemini-3.6-flash",
    "grok-4",
    "grok-4-fast",
    "grok-4.6",
    "deepseek-chat",
    "deepseek-reasoner",
    "deepseek-v3.2",
    "deepseek-v4-pro",
    "mistral-large-3",
    "mistral-small",
    "qwen3-max",
    "qwen3-235b-a22b",
    "kimi-k2",
    "kimi-k3",
    "glm-4.6",
    "glm-5.1",
    "minimax-m2.5",
    "minimax-m3",
]
RETIRED = {"o4-mini", "claude-3.5-haiku", "claude-sonnet-4.5", "gemini-3-pro"}
EXCEPTIONS = {
    "gpt-6": "no such route: its models are gpt-6-luna and others, each under its own name",
    "mistral-small": "a name without a version; the models are mistral-small-3 and the like",
    "claude-sonnet-4": "without a network only genai-prices states it",
    "grok-4-fast": "without a network only genai-prices states it",
    "grok-4.6": "without a network only genai-prices states it",
    "deepseek-v3.2": "two sources disagree, and both figures stand in quotes",
    "qwen3-max": "without a network only LiteLLM states it",
    "mistral-large-3": "without a network only hosts state it",
    "qwen3-235b-a22b": "its developer's shop states no price in USD",
    "kimi-k2": "its developer sells it no more; hosts do",
    "glm-4.6": "without a network only hosts state it",
    "glm-5.1": "without a network only hosts state it",
    "minimax-m2.5": "without a network only hosts state it",
}


def legs(connection: duckdb.DuckDBPyConnection, model: str) -> list[tuple[str, float, int, str, str]]:
    return connection.execute(
        "SELECT leg, usd_per_mtok, n_sources, decided_by, quotes FROM core.llm_price_current "
        "WHERE model = ? AND first_party AND leg IN ('input', 'output') AND tier_min_tokens = 0 AND variant = 'standard' "
        "AND price_window IN ('always', 'peak')",
        [model],
    ).fetchall()


def retired(connection: duckdb.DuckDBPyConnection, model: str) -> bool:
    """Whether a seller's last day of the model has passed, and by whose word."""
    asked = "SELECT count(*) FROM core.model_retirement WHERE model = ? AND retired_on <= current_date AND source IS NOT NULL"
    return bool(connection.execute(asked, [model]).fetchall()[0][0])


def stated(leg: tuple[str, float, int, str, str]) -> bool:
    """Two sources state the price, or the dated history does."""
    _, _, sources, decided_by, quotes = leg
    return (sources >= 2 and decided_by in ("all_agree", "majority")) or "llm_price_seed" in quotes


@pytest.mark.parametrize("model", [model for model in MODELS if model not in RETIRED | EXCEPTIONS.keys()])
def test_chosen_price_is_stated_twice_or_dated(warehouse: duckdb.DuckDBPyConnection, model: str):
    found = legs(warehouse, model)
    if not found:  # what is announced comes to pass
        assert retired(warehouse, model)
        return
    assert {leg[0] for leg in found} == {"input", "output"}
    assert all(stated(leg) for leg in found), found


@pytest.mark.parametrize("model", sorted(RETIRED))
def test_retired_model_has_no_price_of_its_vendor_and_says_since_when(
    warehouse: duckdb.DuckDBPyConnection,
    model: str,
):
    assert legs(warehouse, model) == []
    assert retired(warehouse, model)


@pytest.mark.parametrize("model", sorted(EXCEPTIONS))
def test_exception_is_needed(warehouse: duckdb.DuckDBPyConnection, model: str):
    found = legs(warehouse, model)
    assert not found or not all(stated(leg) for leg in found)
