"""One scale of capability from another: exact on a line, and on models made up from a known law as often right as it claims."""

import math
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.prices.scale_link import linked, links_onto_eci
from economics.prices.scale_link import foretold, link_of, shaped
from schemas.base import polars_schema
from schemas.prices.capability import Capability, CapabilityLink
from schemas.prices.models import Model


def test_scores_on_a_line_are_foretold_without_error():
    link = link_of(x=np.array([0.0, 1.0, 2.0, 3.0]), y=np.array([100.0, 110.0, 120.0, 130.0]))
    said = foretold(link=link, x=np.array([5.0]))
    assert (link.slope, link.intercept, link.n) == (pytest.approx(10.0), pytest.approx(100.0), 4)
    assert (said.low[0], said.score[0], said.high[0]) == pytest.approx((150.0, 150.0, 150.0))


def test_interval_of_a_new_model_is_that_of_the_textbook():
    """Five points; Student's t with 3 degrees of freedom is 3.1824."""
    x, y = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 4.0, 5.0, 4.0, 5.0])
    link = link_of(x=x, y=y)
    said = foretold(link=link, x=np.array([6.0]))
    assert (link.intercept, link.slope) == pytest.approx((2.2, 0.6))
    assert link.residual_points == pytest.approx(math.sqrt(2.4 / 3))
    half = 3.18244630528 * math.sqrt(2.4 / 3) * math.sqrt(1 + 1 / 5 + 9 / 10)
    assert said.high[0] - said.score[0] == pytest.approx(half)


def test_error_grows_away_from_the_models_that_both_rate():
    link = link_of(x=np.array([0.0, 1.0, 2.0, 3.0]), y=np.array([0.0, 2.0, 1.0, 4.0]))
    said = foretold(link=link, x=np.array([1.5, 3.0, 10.0]))
    assert (np.diff(said.high - said.low) > 0).all()


@pytest.mark.parametrize(
    ("score", "shape", "found"), [(50.0, "log_odds", 0.0), (math.e, "logarithm", 1.0), (1200.0, "as_it_is", 1200.0)]
)
def test_shapes(score: float, shape: str, found: float):
    assert shaped(score=np.array([score]), shape=shape)[0] == pytest.approx(found)


@pytest.mark.parametrize(
    ("score", "shape", "said"),
    [(100.0, "log_odds", "between 0 and 100"), (0.0, "logarithm", "positive"), (1.0, "cube", "shape must be")],
)
def test_a_score_outside_its_shape_is_refused(score: float, shape: str, said: str):
    with pytest.raises(ValueError, match=said):
        shaped(score=np.array([score]), shape=shape)


@pytest.mark.parametrize("x", [[1.0, 2.0], [2.0, 2.0, 2.0]])
def test_a_link_needs_three_models_that_differ(x: list[float]):
    with pytest.raises(ValueError, match="a link needs"):
        link_of(x=np.array(x), y=np.array(x))


@pytest.mark.parametrize("n", [6, 12, 40])
def test_interval_holds_as_often_as_it_claims(n: int):
    """Models drawn from a line with normal errors; what is foretold took no part in the fit and lies beyond it."""
    rng, held = np.random.default_rng(17), []
    for _ in range(2000):
        x = rng.normal(size=n + 1)
        x[-1] += 1.5
        y = 150.0 + 11.0 * x + rng.normal(scale=4.0, size=n + 1)
        said = foretold(link=link_of(x=x[:-1], y=y[:-1]), x=x[-1:])
        held.append(said.low[0] <= y[-1] <= said.high[0])
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def figures(*rows: tuple[str, str, float]) -> pl.DataFrame:
    told = [
        {"model": m, "scale": s, "score": v, "as_of": date(2026, 8, 1), "source": "x", "source_model": m} for m, s, v in rows
    ]
    return pl.DataFrame(told, schema=polars_schema(Capability)).with_columns(basis=pl.lit("publisher"))


NAMES = [f"m{at}" for at in range(12)]
MODELS = pl.DataFrame(
    [
        {"model": name, "developer": f"d{at % 4}", "release_date": date(2025, 1, 1) + timedelta(days=at)}
        for at, name in enumerate(NAMES)
    ],
    schema=polars_schema(Model),
)
RATED = [(name, "eci", 120.0 + 2.0 * at + at % 3) for at, name in enumerate(NAMES)]
SHARES = [(name, "aa_intelligence", 100.0 / (1.0 + math.exp(2.0 - 0.2 * at))) for at, name in enumerate(NAMES)]


def test_own_score_stays_and_an_unrated_model_gets_one_with_its_interval():
    told = figures(*RATED, *SHARES, ("new", "aa_intelligence", 60.0))
    links = links_onto_eci(told, MODELS)
    CapabilityLink.validate(links)
    found = {row["model"]: row for row in linked(told, links).to_dicts()}
    assert (found["m3"]["score"], found["m3"]["basis"]) == (126.0, "publisher")
    new = found["new"]
    assert (new["scale"], new["basis"], new["source_model"]) == ("eci_linked", "linked", "new on aa_intelligence")
    assert 140.0 < new["score"] < 150.0
    assert new["score_low"] < new["score"] < new["score_high"]


def test_scale_that_misses_least_on_unseen_developers_counts():
    rough = [(name, "aa_coding", 100.0 / (1.0 + math.exp(2.0 - 0.1 * (at % 7)))) for at, name in enumerate(NAMES)]
    told = figures(*RATED, *SHARES, *rough, ("new", "aa_intelligence", 60.0), ("new", "aa_coding", 10.0))
    links = links_onto_eci(told, MODELS)
    assert links["scale"].to_list() == ["aa_intelligence", "aa_coding"]
    assert linked(told, links).filter(model="new")["source_model"].to_list() == ["new on aa_intelligence"]


def test_a_scale_that_rates_few_models_of_the_index_is_not_linked():
    told = figures(*RATED, *SHARES[:9], ("new", "aa_intelligence", 60.0))
    with pytest.raises(pl.exceptions.PolarsError):
        links_onto_eci(told, MODELS).row(0)


def test_links_hold_on_developers_they_have_not_seen(warehouse: duckdb.DuckDBPyConnection):
    found = warehouse.sql("SELECT n, interval_holds, newest_n, newest_interval_holds FROM core.capability_link").fetchall()
    models, newest = sum(row[0] for row in found), sum(row[2] for row in found)
    unseen = sum(n * held for n, held, *_ in found) / models
    later = sum(n * held for *_, n, held in found) / newest
    assert min(unseen, later) >= 0.90
    page = " ".join((Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8").split())
    assert f"held {unseen:.0%} of the models of an unseen developer, and {later:.0%} of the newest".replace("%", " %") in page


def test_split_has_a_frontier_of_2026(warehouse: duckdb.DuckDBPyConnection):
    tier = dict(warehouse.sql("SELECT model, tier FROM marts.market_split").fetchall())
    assert (tier["claude-opus-5"], tier["gpt-5.6-sol"], tier["gpt-oss-20b"]) == ("frontier_reasoning",) * 2 + ("commodity",)
    share, linked_models = warehouse.sql("SELECT share_classified, rated_by_link FROM marts.market_split_coverage").fetchall()[
        0
    ]
    assert share >= 0.6
    assert linked_models >= 80
    silent = "SELECT count(*) FROM marts.market_split WHERE tier = 'unclassified' AND unclassified_because IS NULL"
    assert warehouse.sql(silent).fetchall() == [(0,)]
