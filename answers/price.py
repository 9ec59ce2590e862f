"""What a million tokens of each model costs in a mix that the reader states, beside cpm."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from answers.names import not_known
from answers.query import connect
from answers.text import number, say, show_rows, usd


class MixError(ValueError):
    """A mix that has no price; the command exits with 2."""

    code = 2


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Tokens in and out of a request, and the share of the input that is read from cache."""

    input_tokens: float
    output_tokens: float
    cached_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Price:
    """Price of one model in the mix. None: not rated."""

    model: str
    usd_per_mtok: float
    usd_per_request: float
    rank: int
    usd_per_mtok_even: float
    rank_even: int
    cache_price_known: bool
    """Else cached input is taken at the price of input."""
    score: float | None


def prices_in_mix(warehouse: Path, mix: Mix, *, models: tuple[str, ...] = (), top: int | None = None) -> list[Price]:
    """Prices of all models in a mix, cheapest first; of `models` where some are named; the first `top`.

    Raises MixError for a mix without tokens, a share outside [0, 1], UnknownNameError for a model without a price.
    """
    if mix.input_tokens < 0 or mix.output_tokens < 0 or mix.input_tokens + mix.output_tokens <= 0:
        raise MixError(
            f"--in and --out must not be negative and not both 0, got {mix.input_tokens:g} and {mix.output_tokens:g}"
        )
    if not 0.0 <= mix.cached_share <= 1.0:
        raise MixError(f"--cached is a share of the input from 0 to 1, got {mix.cached_share:g}")
    with connect(warehouse) as connection:
        rows = connection.execute(
            "SELECT model, usd_per_mtok, rank() OVER (ORDER BY usd_per_mtok), usd_per_mtok_even, "
            "rank() OVER (ORDER BY usd_per_mtok_even), cache_price_known, score FROM marts.price_in_mix(?, ?, ?) ORDER BY 2, 1",
            [mix.input_tokens, mix.output_tokens, mix.cached_share],
        ).fetchall()
    names = {row[0] for row in rows}
    for model in models:
        if model not in names:
            raise not_known("model", model, names, listed_by="iecon price --top 999")
    tokens = (mix.input_tokens + mix.output_tokens) / 1e6
    found = [
        Price(
            model=row[0],
            usd_per_mtok=row[1],
            usd_per_request=row[1] * tokens,
            rank=row[2],
            usd_per_mtok_even=row[3],
            rank_even=row[4],
            cache_price_known=row[5],
            score=row[6],
        )
        for row in rows
        if not models or row[0] in models
    ]
    return found[:top]


def show_prices(prices: list[Price], mix: Mix, *, console: Console) -> None:
    """Print one line per model, and what the mix is."""
    figures = ("$/M in this mix", "rank", "$ a request", "cpm 1:1", "rank 1:1", "index")
    rows = [
        (
            each.model + ("" if each.cache_price_known or not mix.cached_share else " *"),
            usd(each.usd_per_mtok, digits=3),
            str(each.rank),
            usd(each.usd_per_request, digits=3),
            usd(each.usd_per_mtok_even, digits=3),
            str(each.rank_even),
            number(each.score, digits=3),
        )
        for each in prices
    ]
    show_rows(("model", *figures), rows, console=console, right=figures)
    say(
        f"{mix.input_tokens:,.0f} tokens in, {100 * mix.cached_share:.0f} % of them from cache, {mix.output_tokens:,.0f} out"
        + ("; * no cache price is listed" if mix.cached_share else ""),
        console=console,
    )
