"""The shipped GPU rents: every figure has a date, a basis and a place, and equals what its document says."""

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from schemas.prices.gpu_rents import GpuRentSeed
from sources.document import SEEDS
from sources.prices import skypilot
from sources.prices.gpu_names import resolve
from sources.prices.gpu_rent_seed import SOURCE, parse_offers
from sources.source import Seed, Snapshot

PUBLIC = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing" / "gpu"
TRACKER = PUBLIC / "prime_intellect_gpu_prices_2025-10_2025-11.csv"
(SEED,) = [rung for rung in SOURCE.floor if isinstance(rung, Seed)]
CITATION = yaml.safe_load((SEEDS / "gpu_rent.source.yaml").read_text())


def snapshot(source: str, body: bytes) -> Snapshot:
    return Snapshot(source, body, "0" * 64, "seed", str(SEED.path.name), fetched_at=SEED.as_of, published_at=SEED.as_of)


OFFERS = parse_offers(snapshot("gpu_rent_seed", SEED.path.read_bytes())).accepted
ROWS = list(csv.DictReader(SEED.path.read_text().splitlines()))


def stated(provider: str, source_gpu: str, **wanted: object) -> float:
    usd: float = OFFERS.filter(provider=provider, source_gpu=source_gpu, **wanted)["usd_per_gpu_hour"].item()
    return usd


def test_the_seed_keeps_its_contract_and_its_citation() -> None:
    GpuRentSeed.validate(OFFERS)
    assert OFFERS.height >= 60
    assert f"{OFFERS.height} rows" in CITATION["version"]
    assert CITATION["as_of"] == SEED.as_of.date()


def test_every_row_says_what_it_is_where_it_stands_and_since_when() -> None:
    for row in ROWS:
        for name in ("basis", "source_title", "source_url_or_locator", "valid_from", "date_basis", "note"):
            assert row[name], (name, row)
    assert OFFERS["valid_from"].null_count() == OFFERS["date_basis"].null_count() == 0
    assert (OFFERS["valid_from"] <= SEED.as_of.date()).all()


def test_price_per_gpu_is_the_instance_price_over_the_count() -> None:
    both = OFFERS.filter(pl.col("usd_per_instance_hour").is_not_null())
    assert both.height >= 60
    assert both["gpu_count"].null_count() == 0
    quotient = (both["usd_per_instance_hour"] / both["gpu_count"]).to_list()
    assert both["usd_per_gpu_hour"].to_list() == pytest.approx(quotient, rel=1e-9)
    assert set(OFFERS.filter(pl.col("usd_per_instance_hour").is_null())["price_basis"]) == {"per_gpu"}


def test_a_canonical_gpu_agrees_with_what_the_name_says() -> None:
    for row in ROWS:
        named = resolve(row["source_gpu"], row["instance_type"], float(row["gpu_memory_gb"]) if row["gpu_memory_gb"] else None)
        assert named.family is not None, row
        if row["gpu"]:
            assert row["gpu"].startswith(named.family), row
            assert named.gpu in (None, row["gpu"]), row
    assert set(OFFERS.filter(pl.col("gpu").is_null())["gpu_family"]) == {"h100", "h200", "a100", "v100"}


def test_inferencex_constants_of_two_dates() -> None:
    terms = ("tco_hyperscaler", "tco_neocloud", "reserved_3y_or_retail")
    april, august = date(2026, 4, 1), date(2026, 8, 1)
    constants = OFFERS.filter(provider="inferencex")
    assert constants.height == 42
    assert [stated("inferencex", "H200", term=term, valid_from=april) for term in terms] == [1.41, 1.74, 1.60]
    assert [stated("inferencex", "H200", term=term, valid_from=august) for term in terms] == [1.22, 1.59, 2.05]
    assert [stated("inferencex", "GB300", term=term, valid_from=august) for term in terms] == [2.31, 2.79, 3.30]
    ended = constants.filter(valid_from=april).filter(pl.col("valid_to").is_null())["source_gpu"]
    assert set(ended) == {"MI325X", "MI355X"}


def test_figures_of_papers_and_tools() -> None:
    assert stated("coreweave", "H100", instance_type="DGX-H100") * 8 == 38.0
    assert stated("coreweave", "A100", instance_type="DGX-A100") * 8 == pytest.approx(17.6)
    assert stated("coreweave", "A40") == 1.28
    assert stated("splitwise-sim", "H100") / stated("splitwise-sim", "A100") == pytest.approx(2.15, abs=0.005)
    assert [stated("vidur", gpu) for gpu in ("H100", "A100")] == [6.98, 3.72]


def test_a_price_read_on_one_day_is_not_said_to_hold_today() -> None:
    coreweave = OFFERS.filter(provider="coreweave")
    assert coreweave.height == 5
    assert coreweave["valid_to"].null_count() == 0


def test_deepseek_and_sglang_figures_close_on_their_own_totals() -> None:
    h800 = OFFERS.filter(provider="deepseek")["usd_per_gpu_hour"].unique().item()
    assert 226.75 * 8 * 24 * h800 == pytest.approx(87_072)
    assert 2_788e3 * h800 == pytest.approx(5.576e6)
    per_mtok = 8 * stated("sglang", "H100") / 3600 / 22_282 * 1e6
    assert per_mtok == pytest.approx(0.20, abs=0.005)


def test_market_quantiles_are_in_order() -> None:
    market = OFFERS.filter(term="marketplace").pivot("statistic", index=["source_gpu", "valid_from"], values="usd_per_gpu_hour")
    assert market.height == 14
    assert (market["p10"] <= market["median"]).all()
    assert (market["median"] <= market["p90"]).all()


@pytest.mark.published
def test_market_quantiles_are_the_medians_of_the_published_rows() -> None:
    if not TRACKER.exists():
        pytest.skip("the tracker's file is not on this machine")
    published = pl.read_csv(TRACKER).with_columns(
        source_gpu=pl.concat_str("gpu_type", "socket", separator=" ", ignore_nulls=True),
        month=pl.col("timestamp").str.slice(0, 7),
    )
    medians = (
        published.group_by("source_gpu", "month")
        .agg(pl.col("p10", "median", "p90").median(), n=pl.len())
        .unpivot(index=["source_gpu", "month", "n"], variable_name="statistic", value_name="expected")
    )
    seeded = OFFERS.filter(term="marketplace").with_columns(month=pl.col("valid_from").dt.strftime("%Y-%m"))
    both = seeded.join(medians, on=["source_gpu", "month", "statistic"])
    assert both.height == medians.height == seeded.height == 42
    assert both["usd_per_gpu_hour"].to_list() == pytest.approx(both["expected"].to_list())
    assert all(f"n={n} snapshots" in note for n, note in both.select("n", "note").iter_rows())


@pytest.mark.published
@pytest.mark.parametrize("cloud", ["nebius", "primeintellect", "runpod", "verda"])
def test_catalogue_excerpts_are_what_the_parser_reads(cloud: str) -> None:
    path = PUBLIC / "skypilot_v8_fixtures" / f"{cloud}_vms.csv"
    if not path.exists():
        pytest.skip("the catalogue excerpts are not on this machine")
    read = skypilot.parse_offers(snapshot(f"skypilot_{cloud}", path.read_bytes())).accepted
    seeded = OFFERS.filter(pl.col("locator").str.contains(f"v8/{cloud}/"))
    facts = ["instance_type", "source_gpu", "gpu", "form_factor", "gpu_count", "term", "region", "gpu_memory_gb"]
    assert seeded.select(facts).rows() == read.select(facts).rows()
    assert seeded["usd_per_gpu_hour"].to_list() == pytest.approx(read["usd_per_gpu_hour"].to_list())
    assert set(seeded["date_basis"]) == {"import"}


def test_no_placeholder_bid_is_in_the_seed() -> None:
    assert "mithril" not in set(OFFERS["provider"])
