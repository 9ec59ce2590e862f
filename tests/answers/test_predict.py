"""`iecon predict`: rows in, the same rows out with figures, intervals, what they rest on, and why a row has none."""

import json
from pathlib import Path

import polars as pl
import pytest

import iecon as package
from answers.predict.answer import ADDED, UNMEASURED, Evidence, evidence_of, predict, with_answers
from answers.predict.described import described
from answers.predict.files import format_of, read_batches, write_batches
from answers.predict.own import own_accelerator, own_model
from assets.serving.engine_runs import QUANTITIES
from tests.refreshed import iecon

RUN = {
    "model": "meta-llama/Llama-3.1-8B-Instruct",
    "gpu": "H100",
    "engine": "vllm",
    "precision": "bf16",
    "gpus": "1",
    "tp": "1",
}
LOAD = {"input_tokens": "512", "output_tokens": "256", "concurrency": "16"}
OWN_DEVICE = {"gpu": "mychip", "bf16_flop_per_s": 1e15, "hbm_bytes": 96e9, "hbm_bytes_per_s": 4e12}


@pytest.fixture(scope="module")
def release(refreshed: Path) -> Path:
    return refreshed / "releases" / "latest.duckdb"


@pytest.fixture(scope="module")
def evidence(release: Path) -> Evidence:
    return evidence_of(release)


def asked(evidence: Evidence, *rows: dict[str, str | None]) -> pl.DataFrame:
    return with_answers(pl.DataFrame(list(rows), infer_schema_length=None), evidence)


def test_rows_come_back_in_order_with_every_column(evidence: Evidence) -> None:
    table = pl.DataFrame([{**RUN, **LOAD, "note": "a", "concurrency": str(count)} for count in (64, 1, 16)])
    answers = with_answers(table, evidence)
    assert answers.columns == [*table.columns, *ADDED]
    assert answers.select(table.columns).equals(table)
    assert answers["output_tokens_per_s_per_gpu_predicted"].is_sorted() is False
    rates = answers.sort(pl.col("concurrency").cast(pl.Int64))
    assert rates["output_tokens_per_s_per_gpu_predicted"].is_sorted()
    assert rates["tpot_p50_s_predicted"].is_sorted()


def test_an_interval_holds_its_prediction(evidence: Evidence) -> None:
    answers = asked(evidence, {**RUN, **LOAD}).row(0, named=True)
    for name in QUANTITIES:
        low, value, high = (answers[f"{name}_{end}"] for end in ("low", "predicted", "high"))
        assert low < value < high


def test_dollars_are_the_rent_over_the_rate(evidence: Evidence) -> None:
    row = asked(evidence, {**RUN, **LOAD}).row(0, named=True)
    rent = dict(evidence.rents.select("gpu", "usd_per_gpu_hour").iter_rows())["h100-sxm"]
    expected = rent / 3600 / row["output_tokens_per_s_per_gpu_predicted"] * 1e6
    assert row["usd_per_mtok_output"] == pytest.approx(expected)
    assert row["usd_term"]


def test_what_a_row_leaves_out_is_filled_and_said(evidence: Evidence) -> None:
    row = asked(evidence, {"model": "llama2-70b-99.9", "gpu": "h100-sxm"}).row(0, named=True)
    assert row["output_tokens_per_s_per_gpu_predicted"] > 0
    for part in ("precision", "input_tokens 294", "output_tokens 294", "gpus"):
        assert part in row["assumed"]


def test_a_gpu_whose_name_leaves_the_product_open_is_said(evidence: Evidence) -> None:
    assert "taken for h100-sxm" in asked(evidence, {**RUN, **LOAD}).row(0, named=True)["assumed"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": "llama-9-nonesuch"}, "unknown model llama-9-nonesuch"),
        ({"gpu": "h100x"}, "unknown gpu h100x"),
        ({"gpu": None}, "gpu is not stated"),
        ({"concurrency": "many"}, "concurrency: not a number"),
        ({"input_tokens": "-5"}, "input_tokens: must be above 0"),
        ({"dp_attention": "perhaps"}, "dp_attention: neither true nor false"),
    ],
)
def test_a_row_that_cannot_be_read_says_why_and_costs_no_other(
    evidence: Evidence, change: dict[str, str | None], reason: str
) -> None:
    answers = asked(evidence, {**RUN, **LOAD, "dp_attention": "false"}, {**RUN, **LOAD, "dp_attention": "false", **change})
    assert answers["output_tokens_per_s_per_gpu_predicted"].is_not_null().to_list() == [True, False]
    assert reason in answers["reason"][1]


def test_an_engine_that_was_never_measured_there_claims_no_share(evidence: Evidence) -> None:
    row = asked(evidence, {**RUN, **LOAD, "engine": "nonesuch"}).row(0, named=True)
    assert (row["basis"], row["reason"], row["tpot_p50_s_low"]) == ("none", UNMEASURED, None)
    assert row["tpot_p50_s_predicted"] > 0


def test_a_table_needs_model_and_gpu(evidence: Evidence) -> None:
    with pytest.raises(ValueError, match="column gpu is missing"):
        described(pl.DataFrame({"model": ["llama-3.1-8b"]}), models={}, gpus=())


def test_pools_count_the_gpus_that_their_publishers_count(evidence: Evidence) -> None:
    pools = {
        **RUN,
        **LOAD,
        "gpus": "8",
        "prefill_gpus": "6",
        "decode_gpus": "2",
        "prefill_workers": "3",
        "decode_workers": "1",
        "disaggregated": "True",
    }
    plain, orchestrated = asked(evidence, pools, {**pools, "engine": "dynamo-vllm"}).iter_rows(named=True)
    assert (plain["counted_gpus"], orchestrated["counted_gpus"]) == (8, 2)
    assert orchestrated["usd_per_mtok_output"] == pytest.approx(plain["usd_per_mtok_output"])


# Figures that engines are known for, asked as people would write them


@pytest.mark.parametrize(
    "load", [{"requests": "1000"}, {"requests": "1000", "concurrency": "1000"}, {"request_rate_per_s": "200"}]
)
def test_an_8b_model_on_one_h100_yields_what_vllm_was_measured_at(evidence: Evidence, load: dict[str, str]) -> None:
    """A burst of 1,000 requests of 512/256 tokens, or arrivals far beyond capacity: 6,238 output tokens/s."""
    row = asked(evidence, {**RUN, "input_tokens": "512", "output_tokens": "256", **load}).row(0, named=True)
    assert row["output_tokens_per_s_per_gpu_predicted"] == pytest.approx(6_238, rel=0.15)


@pytest.mark.parametrize(("concurrency", "tokens_per_s"), [("4", 329), ("16", 884), ("64", 1_895)])
def test_deepseek_r1_on_eight_h200_yields_what_sglang_was_measured_at(
    evidence: Evidence, concurrency: str, tokens_per_s: float
) -> None:
    run = {"model": "deepseek-r1", "gpu": "h200", "engine": "sglang", "precision": "fp8", "gpus": "8"}
    load = {"input_tokens": "1024", "output_tokens": "1024", "concurrency": concurrency}
    row = asked(evidence, run | load).row(0, named=True)
    assert 8 * row["output_tokens_per_s_per_gpu_predicted"] == pytest.approx(tokens_per_s, rel=0.15)


@pytest.mark.parametrize(
    ("pool", "tokens_per_s_of_node"),
    [
        ({"gpu": "h800", "engine": "own", "decode_gpus": "144", "ep": "144", "context_tokens": "4989"}, 14_800),
        ({"gpu": "h800", "engine": "sglang", "decode_gpus": "144", "decode_ep": "144", "input_tokens": "4900"}, 14_800),
        ({"gpu": "h100", "engine": "sglang", "decode_gpus": "72", "ep": "72", "input_tokens": "2000"}, 22_300),
        ({"gpu": "h100", "engine": "sglang", "decode_gpus": "72", "input_tokens": "2000", "output_tokens": "100"}, 22_300),
    ],
)
def test_decode_pools_with_wide_expert_parallelism(
    evidence: Evidence, pool: dict[str, str], tokens_per_s_of_node: float
) -> None:
    """DeepSeek's own pool of 18 nodes, and SGLang's of nine: output tokens/s of a node of eight."""
    row = asked(evidence, {"model": "deepseek-v3", **pool}).row(0, named=True)
    assert 8 * row["output_tokens_per_s_per_gpu_predicted"] == pytest.approx(tokens_per_s_of_node, rel=0.3)
    assert "decode_dp_attention true; as many in flight as fit" in row["assumed"]


def test_a_table_of_pools_and_one_of_measured_runs_describe_the_same_pools(evidence: Evidence) -> None:
    """tp, ep and dp_attention of the whole are not read where the pools state theirs."""
    pools = {"model": "deepseek-r1", "gpu": "gb200", "engine": "dynamo-sglang", "precision": "fp8", "input_tokens": "1024"}
    pools |= {"output_tokens": "1024", "concurrency": "128", "gpus": "20", "prefill_gpus": "4", "decode_gpus": "16"}
    pools |= {"prefill_workers": "1", "decode_workers": "4", "decode_dp_attention": "True", "disaggregated": "True"}
    asked_so, so = asked(evidence, pools, {**pools, "dp_attention": "True", "tp": "1", "ep": "1"}).iter_rows(named=True)
    assert asked_so["nearest_distance"] == so["nearest_distance"] == pytest.approx(0.0, abs=1e-6)
    assert asked_so["tpot_p50_s_predicted"] == pytest.approx(so["tpot_p50_s_predicted"])


def test_a_model_and_an_accelerator_of_your_own(release: Path, tmp_path: Path) -> None:
    config = tmp_path / "mymodel" / "config.json"
    config.parent.mkdir()
    config.write_text(
        json.dumps(
            {
                "model_type": "llama",
                "hidden_size": 4096,
                "intermediate_size": 14336,
                "num_attention_heads": 32,
                "num_key_value_heads": 8,
                "num_hidden_layers": 32,
                "vocab_size": 128256,
            }
        )
    )
    device = tmp_path / "chip.json"
    device.write_text(json.dumps(OWN_DEVICE))
    own = {**RUN, **LOAD, "model": "mymodel", "gpu": "mychip"}
    row = predict(pl.DataFrame([own]), warehouse=release, config=config, accelerator=device).row(0, named=True)
    assert row["tpot_p50_s_predicted"] > 15e9 / 4e12
    shape, layers = own_model(config)
    assert shape["model"].to_list() == ["mymodel"]
    assert layers.height == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hbm_bytes": -1}, "hbm_bytes must be a number above 0"),
        ({"speed": 3}, "speed is not a column"),
        ({"gpu": None}, "gpu"),
    ],
)
def test_an_accelerator_of_your_own_that_is_wrong_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    device = tmp_path / "chip.json"
    stated = {name: value for name, value in (OWN_DEVICE | change).items() if value is not None}
    device.write_text(json.dumps(stated))
    with pytest.raises(ValueError, match=message):
        own_accelerator(device)


@pytest.mark.parametrize("ending", ["csv", "parquet", "ndjson"])
def test_a_table_goes_through_files_of_each_format(tmp_path: Path, ending: str) -> None:
    table = pl.DataFrame({"model": ["a", "b"], "text": ["x, y", None]})
    file = tmp_path / f"out.{ending}"
    write_batches(iter([table.head(1), table.tail(1)]), output=file, format=format_of(file), screen=None)
    assert pl.concat(read_batches(file)).equals(table)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_command_writes_the_rows_and_says_how_many_it_answered(refreshed: Path, tmp_path: Path) -> None:
    table, output = tmp_path / "runs.csv", tmp_path / "out.csv"
    pl.DataFrame([{**RUN, **LOAD}, {**RUN, **LOAD, "model": "nonesuch"}]).write_csv(table)
    done = iecon(refreshed, "predict", str(table), "-o", str(output))
    assert done.returncode == 0, done.stderr
    assert "1 of 2 rows answered" in done.stderr
    assert pl.read_csv(output)["basis"].is_not_null().to_list() == [True, False]
    shown = iecon(refreshed, "predict", str(table), "--json")
    assert json.loads(shown.stdout.splitlines()[0])["tpot_p50_s_predicted"] > 0


def test_a_table_that_is_not_there_is_bad_usage(refreshed: Path, tmp_path: Path) -> None:
    done = iecon(refreshed, "predict", str(tmp_path / "nothing.csv"))
    assert done.returncode == 2
    assert "no such file" in done.stderr


def test_from_python(refreshed: Path) -> None:
    answers = package.predict(pl.DataFrame([{**RUN, **LOAD}]), data=refreshed)
    assert answers["output_tokens_per_s_per_gpu_predicted"][0] > 0
