"""Epoch's bundle: index and benchmark scores in today's and the earlier layout, hostile zips, and the shipped index."""

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.prices.capability import EpochBenchmark, EpochEci
from schemas.quarantine import Rejected
from sources.prices.epoch import SOURCE, parse_benchmarks, parse_eci
from sources.prices.model_map import models, resolve
from sources.source import Http, Seed, Snapshot, content_hash

QUALITY = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing" / "quality"

INDEX = (
    "Model,Display name,eci,eci_ci_low,eci_ci_high,date,Organization,Country (of organization),Model accessibility,"
    "Accessibility group,model_versions\n"
    "GPT-5,GPT-5,150.0,,,2025-08-07,OpenAI,United States of America,API access,Closed weights,\n"
    'Gemini 3 Pro,Gemini 3 Pro,153.99,151.50,159.37,2025-11-18,"Google DeepMind,Google",,API access,Closed weights,\n'
    "Kimi K2,Kimi K2,140.37,137.40,142.49,2025-07-12,Moonshot,China,Open weights (restricted use),Open weights,\n"
    "Kimi K2,Kimi K2,139.00,137.40,142.49,2025-07-12,Moonshot,China,Open weights (restricted use),Open weights,\n"
    "Broken,Broken,nan,,,2025-07-12,,,,,\n"
)
FLAT_INDEX = (
    "Model version,ECI Score,Release date,Organization,Country,Model accessibility,Training compute (FLOP),Model name\n"
    "o3-2025-04-16_high,146.76,2025-04-16,OpenAI,United States of America,API access,,o3\n"
    "gpt-4-0314,125.76,2023-03-14,OpenAI,United States of America,API access,,GPT-4\n"
)
METADATA = (
    "benchmark,in_eci,source_file,score_column,scale,random_baseline,score_ceiling,release_date,superseded_by\n"
    "GPQA diamond,True,gpqa_diamond.csv,Best score (across scorers),1.0,0.25,1.0,2023-11-20,\n"
    "Aider polyglot,True,aider_polyglot_external.csv,Percent correct,0.01,0.0,1.0,2024-12-01,\n"
    "Vending-Bench 2,False,,,,,,,\n"
)
VERSIONS = (
    "model_version,model_group,date,display_name,organization,country,accessibility,training_compute_flop\n"
    ",,,,,,,\n"
    "gpt-5-2025-08-07_high,GPT-5,2025-08-07,GPT-5 (high),OpenAI,United States of America,API access,\n"
    "twice,One,2025-01-01,,,,,\n"
    "twice,Two,2025-01-01,,,,,\n"
)
GPQA = (
    "Model version,mean_score,Best score (across scorers),Release date,Organization,Country,Training compute (FLOP),"
    "Training compute notes,stderr,Log viewer,Logs,Started at,id\n"
    'gpt-5-2025-08-07_high,0.85,0.86,2025-08-07,OpenAI,United States of America,,"two\nlines",0.01,,,2025-08-08T00:00:00Z,a\n'
    "gpt-5-2025-08-07_low,0.70,,2025-08-07,OpenAI,United States of America,,,,,,,b\n"
    "twice,0.5,0.5,2025-01-01,,,,,,,,,c\n"
)
AIDER = "Model version,Percent correct,Release date,Organization\ngpt-5-2025-08-07_high,88.0,2025-08-07,OpenAI\n"
VENDING = "Model version,Score,Release date,Organization,Name,id\nclaude-opus-5_unknown,9235.2,2026-07-24,Anthropic,Opus,x\n"


def zipped(members: dict[str, str], stamp: tuple[int, int, int] = (2026, 10, 8)) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in members.items():
            bundle.writestr(zipfile.ZipInfo(name, (*stamp, 11, 16, 0)), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


BUNDLE = {
    "README.md": "Licensing and citation\n",
    "gpqa_diamond.csv": GPQA,
    "aider_polyglot_external.csv": AIDER,
    "vending_bench_2_external.csv": VENDING,
    "epoch_capabilities_index/eci_scores.csv": INDEX,
    "epoch_capabilities_index/eci_bootstraps.json": "{}",
    "benchmark_metadata.csv": METADATA,
    "model_metadata.csv": VERSIONS,
}


def snapshot(body: bytes, served_from: str = "http", published_at: datetime | None = None) -> Snapshot:
    when = datetime(2026, 10, 9, tzinfo=UTC)
    return Snapshot("epoch", body, content_hash(body), served_from, "https://epoch.ai", when, published_at)


def shipped() -> Snapshot:
    seed = SOURCE.floor[0]
    assert isinstance(seed, Seed)
    return snapshot(seed.path.read_bytes(), "seed", seed.as_of)


def test_source_asks_for_the_bundle_and_falls_back_on_the_index() -> None:
    assert SOURCE.live == (Http("https://epoch.ai/data/benchmark_data.zip"),)


def test_index_of_the_bundle() -> None:
    accepted, rejected = parse_eci(snapshot(zipped(BUNDLE)))
    EpochEci.validate(accepted)
    Rejected.validate(rejected)
    assert accepted["source_model"].to_list() == ["GPT-5", "Gemini 3 Pro", "Kimi K2"]
    assert accepted.row(1, named=True) == {
        "source": "epoch",
        "source_model": "Gemini 3 Pro",
        "score": 153.99,
        "score_low": 151.5,
        "score_high": 159.37,
        "release_date": date(2025, 11, 18),
        "organization": "Google DeepMind,Google",
        "accessibility": "API access",
        "as_of": date(2026, 10, 8),
    }
    assert accepted["score_low"].to_list()[0] is None
    assert rejected.select("row_key", "rule", "value").rows() == [
        ("Broken", "not_a_number", "nan"),
        ("Kimi K2", "repeated_model", "139.00"),
    ]


def test_index_of_the_earlier_flat_layout_is_found_by_its_header() -> None:
    accepted, rejected = parse_eci(snapshot(zipped({"gpqa_diamond.csv": GPQA, "epoch_capabilities_index.csv": FLAT_INDEX})))
    assert accepted.select("source_model", "score", "score_low").rows() == [
        ("o3-2025-04-16_high", 146.76, None),
        ("gpt-4-0314", 125.76, None),
    ]
    assert rejected.is_empty()
    assert resolve(accepted.with_columns(source_provider=pl.lit("")))["model"].to_list() == ["o3", "gpt-4"]


def test_benchmarks_take_score_column_and_scale_from_the_metadata() -> None:
    accepted, rejected = parse_benchmarks(snapshot(zipped(BUNDLE)))
    EpochBenchmark.validate(accepted)
    Rejected.validate(rejected)
    seen = accepted.select("benchmark", "source_model", "model_group", "score", "score_percent", "standard_error").rows()
    assert seen == [
        ("GPQA diamond", "gpt-5-2025-08-07_high", "GPT-5", 0.86, 86.0, 0.01),
        ("GPQA diamond", "twice", None, 0.5, 50.0, None),  # a version of two models belongs to none
        ("Aider polyglot", "gpt-5-2025-08-07_high", "GPT-5", 88.0, 88.0, None),
    ]
    assert rejected.select("row_key", "rule").rows() == [
        ("gpqa_diamond.csv:2", "no_score"),
        ("vending_bench_2_external.csv", "unknown_score_column"),
    ]


def test_without_metadata_only_epochs_own_runs_have_a_known_score_and_no_scale() -> None:
    bundle = {name: text for name, text in BUNDLE.items() if name != "benchmark_metadata.csv"}
    accepted, rejected = parse_benchmarks(snapshot(zipped(bundle)))
    assert accepted["source_file"].unique().to_list() == ["gpqa_diamond.csv"]
    assert accepted["score_percent"].null_count() == accepted.height
    assert set(rejected.filter(pl.col("rule") == "unknown_score_column")["row_key"]) == {
        "aider_polyglot_external.csv",
        "vending_bench_2_external.csv",
    }


def test_a_stamp_from_the_future_is_not_believed() -> None:
    accepted, _ = parse_eci(snapshot(zipped(BUNDLE, stamp=(2031, 1, 1))))
    assert accepted["as_of"].unique().to_list() == [date(2026, 10, 9)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><body>Not found</body></html>",
        b"PK\x03\x04 and then nothing of a zip",
        zipped(BUNDLE)[:-40],
        zipped({"gpqa_diamond.csv": GPQA}),
        zipped({"../../etc/eci_scores.csv": INDEX}),
        zipped({"/eci_scores.csv": INDEX}),
        zipped({"C:/eci_scores.csv": INDEX}),
        zipped({"eci_scores.csv": INDEX, "bomb.csv": "0" * 5_000_000}),
        zipped({"eci_scores.csv": INDEX} | {f"{n}.csv": "" for n in range(2_001)}),
        zipped({"eci_scores.csv": "\x00\x01\x02"}),
    ],
    ids=[
        "empty",
        "html",
        "no_zip",
        "cut_off",
        "no_index",
        "leaves_folder",
        "absolute",
        "drive",
        "bomb",
        "many",
        "binary",
    ],
)
@pytest.mark.parametrize("parse", [parse_eci, parse_benchmarks])
def test_another_document_is_refused_as_a_whole(parse: object, body: bytes) -> None:
    assert callable(parse)
    with pytest.raises(ValueError, match=r"."):
        parse(snapshot(body))


def test_a_member_longer_than_announced_is_refused() -> None:
    body = bytearray(zipped({"eci_scores.csv": INDEX}))
    length = len(INDEX.encode()).to_bytes(4, "little")
    assert body.count(length) >= 1
    forged = bytes(body).replace(length, (10).to_bytes(4, "little"))
    with pytest.raises(ValueError, match=r"zip|announced"):
        parse_eci(snapshot(forged))


@given(st.binary(max_size=200))
def test_any_bytes_either_parse_or_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_eci(snapshot(body))


def test_shipped_index() -> None:
    accepted, rejected = parse_eci(shipped())
    EpochEci.validate(accepted)
    assert rejected.is_empty()
    assert accepted.height == 140
    assert accepted["as_of"].unique().to_list() == [date(2026, 2, 8)]
    anchors = accepted.filter(pl.col("score_low").is_null()).select("source_model", "score").rows()
    assert sorted(anchors) == [("Claude 3.5 Sonnet", 130.0), ("GPT-5", 150.0)]
    assert parse_benchmarks(shipped()).accepted.is_empty()
    known = resolve(accepted.with_columns(source_provider=pl.lit("")), listed=False)["model"].drop_nulls()
    assert set(known) <= set(models()["model"])
    assert len(known) >= 115


@pytest.mark.published
@pytest.mark.skipif(not QUALITY.exists(), reason="reference data is not beside this checkout")
def test_shipped_index_follows_its_document() -> None:
    published = pl.read_csv(QUALITY / "eci_scores_2026-02-08.csv", infer_schema=False)
    joined = parse_eci(shipped()).accepted.join(published, left_on="source_model", right_on="Model", validate="1:1")
    assert joined.height == published.height
    for ours, theirs in (("score", "eci"), ("score_low", "eci_ci_low"), ("score_high", "eci_ci_high")):
        gap = (joined[ours] - joined[theirs].cast(pl.Float64)).abs()
        assert gap.max() <= 0.005  # type: ignore[operator]
        assert (joined[ours].is_null() == joined[theirs].is_null()).all()
    assert joined["release_date"].cast(pl.String).equals(joined["date"])
    assert joined["organization"].equals(joined["Organization"])
    assert joined["accessibility"].equals(joined["Model accessibility"])
