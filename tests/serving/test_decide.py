"""A practitioner's question, asked in Python and on the command line."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest

from answers.decide.answer import decide
from answers.decide.asked import QuestionError, length_meant, with_prices
from answers.decide.many import decide_table
from answers.decide.record import ServingQuestion
from tests.refreshed import iecon

ASKED = ServingQuestion(
    model="llama-3.1-70b",
    gpu="h100-sxm",
    input_tokens=4000,
    output_tokens=500,
    requests_per_s=20,
    ttft_p99_s=1.0,
    tpot_p99_s=0.05,
)
OPTIONS = {
    "--model": "llama-3.1-70b",
    "--gpu": "h100-sxm",
    "--in": "4000",
    "--out": "500",
    "--rate": "20",
    "--ttft-p99": "1.0",
    "--tpot-p99": "0.05",
}


@pytest.fixture(scope="module")
def decided(refreshed: Path):
    """Ask a question that differs from ASKED."""
    file = refreshed / "releases" / "latest.duckdb"
    return lambda **changes: decide(replace(ASKED, **changes), warehouse=file)


def test_the_bill_serves_the_load(decided) -> None:
    """GPUs x rent over tokens per second is the stated cost, of the cheapest design first."""
    found = decided()
    assert found.answer == found.designs[0].architecture
    assert {design.architecture for design in found.designs} == {"colocated", "disaggregated"}
    for design in found.designs:
        assert design.usd_per_hour == pytest.approx(design.gpus * design.usd_per_gpu_hour)
        assert design.usd_per_mtok_output == pytest.approx(design.usd_per_hour / 3600 / (20 * 500) * 1e6)
        assert design.usd_per_mtok_input == pytest.approx(design.usd_per_hour / 3600 / (20 * 4000) * 1e6)
        assert design.usd_per_mtok_total == pytest.approx(design.usd_per_hour / 3600 / (20 * 4500) * 1e6)
        assert design.usd_per_request == pytest.approx(design.usd_per_hour / 3600 / 20)
        assert design.requests_per_s_held >= 20
        assert design.checked.holds
        assert design.checked.ttft_p99_s <= 1.0
        assert design.checked.tpot_p99_s <= 0.05
        assert design.checked.attainment >= 0.97
        assert design.checked.goodput_per_s <= 20
        assert design.latency.ttft_s <= 1.0
        assert design.latency.tpot_s <= 0.05
    costs = [design.usd_per_hour for design in found.designs]
    assert costs == sorted(costs)


def test_a_tighter_contract_costs_more(decided) -> None:
    costs = [decided(tpot_p99_s=bound).designs[0].usd_per_hour for bound in (0.1, 0.05, 0.02)]
    assert costs == sorted(costs)
    assert costs[2] > costs[0]


def test_a_bound_on_the_median_costs_no_more_than_on_a_tail(decided) -> None:
    tail, median = decided(), decided(tpot_p99_s=None, tpot_p50_s=0.05, ttft_p99_s=None, ttft_p50_s=1.0)
    assert median.designs[0].usd_per_hour <= tail.designs[0].usd_per_hour


def test_eight_bit_weights_need_fewer_gpus(decided) -> None:
    sixteen, eight = decided(), decided(precision="fp8")
    assert eight.designs[0].gpus < sixteen.designs[0].gpus
    assert any("fp8 (stored as bf16): no measurable loss" in line for line in eight.evidence)


def test_cached_prompts_and_smaller_keys_cost_no_more(decided) -> None:
    plain = decided(precision="fp8").designs[0].usd_per_hour
    assert decided(precision="fp8", prefix_hit_share=0.6).designs[0].usd_per_hour < plain
    assert decided(precision="fp8", kv_dtype="fp8").designs[0].usd_per_hour <= plain
    drafted = decided(precision="fp8", draft_tokens=3, draft_acceptance=0.7)
    assert any(line.startswith("drafts: 3 a step") for line in drafted.evidence)


def test_what_is_fixed_is_kept(decided) -> None:
    found = decided(tp=8, design="colocated")
    assert [design.parallelism for design in found.designs] == ["TP 8"]
    split = decided(design="disaggregated", prefill_gpu="h200-sxm", ttft_p99_s=3.0)
    assert {design.prefill_gpu for design in split.designs} == {"h200-sxm"}
    assert decided(engine="vLLM").designs[0].engine == "vllm"


def test_bursts_take_more_than_an_even_stream(decided) -> None:
    """Prompts of a burst queue before the prefill pool; copies that share arrivals feel it in the tail alone."""
    even, bursts = (decided(precision="fp8", design="disaggregated", burstiness=shape).designs[0] for shape in (1.0, 0.1))
    assert bursts.gpus > even.gpus
    assert bursts.checked.size[1] > bursts.checked.size_predicted[1], "the closed form knows of no bursts, the simulation does"
    even, bursts = (decided(precision="fp8", design="colocated", burstiness=shape).designs[0] for shape in (1.0, 0.1))
    assert bursts.gpus >= even.gpus
    assert bursts.checked.tpot_p99_s > even.checked.tpot_p99_s
    assert bursts.checked.size[0] > bursts.checked.size_predicted[0]


def test_the_peak_is_held_and_the_mean_pays(decided) -> None:
    mean, peak = decided(), decided(peak_requests_per_s=60.0)
    assert peak.designs[0].requests_per_s_held >= 60
    assert peak.designs[0].usd_per_request > 2 * mean.designs[0].usd_per_request


def test_a_stated_price_is_certain_and_scales_the_bill(decided) -> None:
    stated, dearer = decided(usd_per_gpu_hour=2.0), decided(usd_per_gpu_hour={"h100": 4.0})
    assert dearer.designs[0].usd_per_mtok_output == pytest.approx(2 * stated.designs[0].usd_per_mtok_output)
    assert any("2 $ per GPU-hour, as you stated it" in line for line in stated.evidence)


def test_accelerators_are_ranked_within_a_term_of_rent(decided) -> None:
    found = decided(gpu=("h100-sxm", "h200-sxm", "gb200"), precision="fp8")
    terms = [design.term for design in found.designs]
    assert set(terms) == {"on_demand", "reserved_3y_or_retail"}
    assert terms == sorted(terms), "what can be rented on demand is told first, whatever the others cost"
    for term in set(terms):
        mine = [design for design in found.designs if design.term == term]
        assert [d.usd_per_hour for d in mine] == sorted(d.usd_per_hour for d in mine)
        assert 0.9 < sum(design.chance_cheapest for design in mine) <= 1.0, "in few draws none meets the contract"
    alone = decided(gpu=("h100-sxm", "gb200"), precision="fp8", rent_term="reserved_3y_or_retail")
    assert {design.term for design in alone.designs} == {"reserved_3y_or_retail"}


def test_any_accelerator_with_a_rent_is_tried(decided) -> None:
    found = decided(gpu="any", model="qwen3-32b")
    assert len({design.gpu for design in found.designs}) >= 10
    assert any(refused.why == "a10: no rent is known: give --price a10=USD" for refused in found.refused)


def test_intervals_hold_the_cost_and_are_the_same_every_time(decided) -> None:
    first, second = decided(), decided()
    assert first == second
    for design in first.designs:
        assert design.low_usd_per_mtok_output <= design.usd_per_mtok_output
        assert design.high_usd_per_mtok_output is None or design.high_usd_per_mtok_output >= design.usd_per_mtok_output


def test_where_nothing_was_measured_nothing_is_claimed(decided) -> None:
    found = decided(gpu="gaudi3", usd_per_gpu_hour=2.0)
    assert found.designs[0].chance_cheapest is None
    assert found.designs[0].low_usd_per_mtok_output is None
    assert any(line.startswith("no run of vllm on this family of accelerators was measured") for line in found.evidence)


def test_a_contract_that_cannot_be_met_names_the_bound_and_the_nearest_that_can(decided) -> None:
    found = decided(tpot_p99_s=0.001)
    assert found.answer is None
    assert found.flips == ()
    nearest = found.unmet[0]
    assert (nearest.bound, nearest.asked) == ("tpot", 0.001)
    fixed = {"tpot_p99_s": nearest.least * 1.02, "requests_per_s": 0.1, "design": nearest.architecture}
    assert decided(**fixed).answer is not None
    small = decided(gpus=8)
    assert small.unmet[0].bound == "gpus"
    assert decided(gpus=int(small.unmet[0].least)).answer is not None


def test_a_flip_flips(decided) -> None:
    """Beyond the bound on which the answer turns another of the named is the cheapest."""
    both = ("h100-sxm", "h200-sxm")
    flips = decided(gpu=both).flips
    assert [flip.axis for flip in flips[1:]] == ["ttft-p99", "tpot-p99", "rate", "in", "out", "prefix-hit"]
    gpu = flips[0].axis.removeprefix("price of ")
    for factor, same in ((0.99, True), (1.01, False)):
        found = decided(gpu=both, usd_per_gpu_hour={gpu: flips[0].turns_at * factor})
        assert (found.designs[0].gpu == gpu) is same


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"requests_per_s": 0.0}, "--rate must be positive .* any rate above 0 is answered"),
        ({"usd_per_gpu_hour": -1.0}, "--price must be positive"),
        ({"tpot_p99_s": float("nan")}, "--tpot-p99 must be positive .* the nearest that can be met"),
        ({"tpot_p99_s": 50.0}, r"--tpot-p99 50 is in seconds: did you mean 0.05\? \(--yes takes it as it is\)"),
        ({"output_tokens": 0.0}, "--out must be positive .* 1 token"),
        ({"precision": "fp3"}, "--precision must be one of bf16, .*fp8"),
        ({"prefix_hit_share": 60.0}, "--prefix-hit is a share from 0 to 1, got 60: did you mean 0.6"),
        ({"draft_tokens": 3.0}, "--draft-tokens and --acceptance belong together"),
        ({"ttft_p50_s": 0.5}, "one bound on TTFT at a time"),
        ({"ttft_p99_s": None, "tpot_p99_s": None}, "no bound is given"),
        ({"peak_requests_per_s": 1.0}, "--peak 1 is below --rate 20"),
        ({"design": "both"}, "--design must be colocated or disaggregated"),
        ({"gpu": "h1000-sxm"}, "unknown gpu h1000-sxm: did you mean h100-sxm"),
        ({"gpu": "tpu-v6e"}, "tpu-v6e: no rent is known: give --price tpu-v6e=USD"),
        ({"model": "gpt-5"}, "no shape is known for gpt-5"),
        ({"model": "llama-3.1-80b"}, r"unknown model llama-3\.1-80b: did you mean llama-3\.1-"),
        ({"gpu": "t4", "usd_per_gpu_hour": 1.0, "model": "deepseek-r1", "precision": "bf16"}, "do not fit on"),
    ],
)
def test_an_absurd_question_is_refused_by_name(decided, changes, complaint) -> None:
    with pytest.raises(QuestionError, match=complaint):
        decided(**changes)


def test_whoever_insists_is_answered(decided) -> None:
    assert decided(tpot_p99_s=50.0, insist=True).answer is not None


def test_lengths_are_numbers_spreads_or_ranges() -> None:
    assert length_meant("--in", "2000") == (2000.0, 0.0)
    assert length_meant("--in", "2000~0.8") == (2000.0, 0.8)
    assert length_meant("--in", "500-1500") == (1000.0, pytest.approx(0.2887, rel=1e-3))
    with pytest.raises(QuestionError, match="--out many: a number of tokens"):
        length_meant("--out", "many")


def test_prices_are_of_all_or_of_each() -> None:
    assert with_prices([]) is None
    assert with_prices(["2.1"]) == 2.1
    assert with_prices(["h100-sxm=2", "h200-sxm=3"]) == {"h100-sxm": 2.0, "h200-sxm": 3.0}
    with pytest.raises(QuestionError, match=r"h100-sxm=2\.10"):
        with_prices(["cheap"])


def test_many_questions_are_rows_of_a_table(refreshed: Path, decided) -> None:
    bounds = {"in": 4000.0, "out": 500.0, "rate": 20.0, "ttft-p99": 1.0, "tpot-p99": 0.05}
    asked = pl.DataFrame(
        [
            {"model": "llama-3.1-70b", "gpu": "h100-sxm", **bounds},
            {"model": "llama-3.1-70b", "gpu": "h1000-sxm", **bounds},
            {"model": "llama-3.1-70b", "gpu": "h100-sxm", **bounds, "tpot-p99": 0.001},
        ]
    )
    file = refreshed / "releases" / "latest.duckdb"
    found = decide_table(asked, warehouse=file)
    as_text = decide_table(asked.cast(pl.String)[:1], warehouse=file)
    assert as_text["usd_per_hour"][0] == found["usd_per_hour"][0], "a file of text asks the same"
    best = decided().designs[0]
    assert found.select("answer", "gpus_needed", "usd_per_hour").row(0) == (best.architecture, best.gpus, best.usd_per_hour)
    assert found["reason"][0] is None
    assert "did you mean h100-sxm" in found["reason"][1]
    assert "at best" in found["reason"][2]
    with pytest.raises(ValueError, match="column colour is no part of a question"):
        decide_table(asked.with_columns(colour=pl.lit(1)), warehouse=refreshed / "releases" / "latest.duckdb")


def test_a_table_of_ones_own_runs_corrects_the_steps(tmp_path: Path, decided) -> None:
    runs = "model,gpu,engine,precision,gpus,tp,input_tokens,output_tokens,concurrency,tpot_p50_s,output_tokens_per_s_per_gpu\n"
    (tmp_path / "slow.csv").write_text(runs + "llama-3.1-70b,h100-sxm,vllm,bf16,8,8,4000,500,16,0.1,19\n")
    slow = decided(engine="vllm", measured=str(tmp_path / "slow.csv"), ttft_p99_s=5.0)
    assert any(line.startswith("your table ") for line in slow.evidence)
    assert not slow.designs or slow.designs[0].usd_per_hour > decided(engine="vllm", ttft_p99_s=5.0).designs[0].usd_per_hour
    (tmp_path / "none.csv").write_text("model,gpu\nllama-3.1-70b,h100-sxm\n")
    with pytest.raises(QuestionError, match="is missing: what the runs reached"):
        decided(measured=str(tmp_path / "none.csv"))


def ask(folder: Path, *more: str, **changes: str) -> subprocess.CompletedProcess[str]:
    options = OPTIONS | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return iecon(folder, "decide", *(word for option in options.items() for word in option), *more)


def test_json_on_the_command_line_is_the_python_call(refreshed: Path) -> None:
    done = ask(refreshed, "--json", "--price", "2.10")
    assert done.returncode == 0, done.stderr
    question = replace(ASKED, gpu=("h100-sxm",), usd_per_gpu_hour=2.1)
    decision = decide(question, warehouse=refreshed / "releases" / "latest.duckdb")
    assert json.loads(done.stdout) == json.loads(json.dumps(asdict(decision), allow_nan=False))


def test_the_command_says_what_to_rent_and_what_it_rests_on(refreshed: Path) -> None:
    shown = ask(refreshed).stdout
    assert shown.startswith("Cheapest that meets the contract: ")
    for words in (
        "per million output tokens",
        "What would flip the answer",
        "nearest run (",
        "rent of h100-sxm: on_demand",
        "tail: p99",
    ):
        assert words in shown
    infeasible = ask(refreshed, tpot_p99="0.001")
    assert infeasible.returncode == 3
    assert "No design meets this contract" in infeasible.stdout
    assert "The nearest that can be met" in infeasible.stdout


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rate": "0"}, "--rate must be positive"),
        ({"gpu": "a100-80gb-sxm", "precision": "fp8"}, "a100-80gb-sxm has no fp8 peak: it multiplies in bf16"),
    ],
)
def test_a_bad_question_is_one_clear_line_and_exit_code_2(refreshed: Path, changes: dict[str, str], complaint: str) -> None:
    done = ask(refreshed, **changes)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_model_and_an_accelerator_of_ones_own(refreshed: Path, tmp_path: Path) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
        "torch_dtype": "bfloat16",
    }
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text(json.dumps(config))
    device = {"gpu": "my-chip", "bf16_flop_per_s": 8e14, "hbm_bytes": 1.2e11, "hbm_bytes_per_s": 4e12}
    (tmp_path / "chip.json").write_text(json.dumps(device))
    own = replace(
        ASKED,
        model="whatever",
        gpu="own",
        config=str(tmp_path / "mine" / "config.json"),
        accelerator=str(tmp_path / "chip.json"),
        usd_per_gpu_hour=1.5,
    )
    found = decide(own, warehouse=refreshed / "releases" / "latest.duckdb")
    assert (found.question.model, found.designs[0].gpu, found.designs[0].basis) == ("mine", "my-chip", "none")


def test_a_question_does_not_wait_for_the_orchestrator() -> None:
    heavy = "{'dagster', 'pandera', 'pyarrow', 'scipy.stats', 'scipy.optimize'}"
    code = f"import sys, pipelines.cli, answers.decide.answer, answers.decide.text; sys.exit(str({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"


def test_before_the_first_refresh_it_says_what_to_do(tmp_path: Path) -> None:
    done = ask(tmp_path)
    assert done.returncode == 1
    assert "run `iecon refresh` first" in done.stderr
    with pytest.raises(FileNotFoundError, match="iecon refresh"):
        decide(ASKED, warehouse=tmp_path / "none.duckdb")
