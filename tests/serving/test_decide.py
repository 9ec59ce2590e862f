"""A practitioner's question, asked in Python and on the command line."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from answers.decide.answer import QuestionError, answer, decide
from answers.decide.record import Decision, ServingQuestion
from answers.decide.weighing import overlap_break_even, spread_of
from economics.serving.break_even import break_evens
from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.deployment import deployment
from economics.serving.symbols import Contract, Efficiency, Hardware, Model, Refinements, RequestShape, Scenario, Transfer
from tests.refreshed import iecon

H100 = {
    "gpu": "h100-sxm",
    "bf16_flop_per_s": 989e12,
    "fp8_flop_per_s": 1979e12,
    "hbm_bytes_per_s": 3.35e12,
    "hbm_bytes": 80e9,
    "scale_up_bytes_per_s": 450e9,
    "pcie_bytes_per_s": 64e9,
    "nic_bytes_per_s": 50e9,
    "status": "printed",
    "locator": "specification tables",
}
LLAMA_70B = {
    "model": "llama-3.1-70b",
    "layers": 80,
    "hidden": 8192,
    "query_heads": 64,
    "head_dim": 128,
    "value_head_dim": None,
    "parameters": 70.6e9,
    "active_parameters": 70.6e9,
    "kv_bytes_per_token": 327_680.0,
    "status": "printed",
    "note": None,
}
RENT = {
    "usd_per_gpu_hour": 2.3,
    "low_usd_per_gpu_hour": 2.0,
    "high_usd_per_gpu_hour": 3.0,
    "term": "on_demand",
    "sellers": 3,
    "valid_from": "2026-11-01",
    "sources": "gpu_rent_seed",
}
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


def decided(**changes) -> Decision:
    question = replace(ASKED, **changes)
    return answer(question, gpu=H100, shape=LLAMA_70B, price={} if question.usd_per_gpu_hour else RENT)


def fit(gpu_count: int | None, *, mfu: float | None, mbu: float | None, engine: str = "vllm", points: int = 10, **facts):
    """A row of marts.calibration."""
    shares = {"mfu": mfu, "mbu": mbu}
    ends = {
        f"{name}_without_overhead{end}": None if share is None else share * factor
        for name, share in shares.items()
        for end, factor in (("", 1.0), ("_low", 0.8), ("_high", 1.1))
    }
    return {
        "gpu": "h100-sxm",
        "model": "llama-3.1-70b",
        "engine": engine,
        "precision": "bf16",
        "gpu_count": gpu_count,
        "n_prefill": points,
        "n_decode": points,
        "sources": "mine",
        **ends,
        **facts,
    }


def with_fits(*fits, **changes) -> Decision:
    return answer(replace(ASKED, **changes), gpu=H100, shape=LLAMA_70B, price=RENT, fits=fits)


def scenario(gpus: float) -> Scenario:
    """The question in symbols, written out by hand."""
    return Scenario(
        hardware=Hardware(
            usd_per_gpu_hour=2.3, flops_per_s=989e12, hbm_bytes_per_s=3.35e12, hbm_bytes=80e9, gpus=gpus, link_bytes_per_s=450e9
        ),
        model=Model(
            active_parameters=70.6e9,
            weight_bytes=141.2e9,
            kv_bytes_per_token=327_680.0,
            layers=80.0,
            query_heads=64.0,
            head_dim=128.0,
            hidden=8192.0,
        ),
        workload=RequestShape(input_tokens=4000.0, input_per_output=8.0, context_tokens=4250.0, arrival_rate_per_s=20.0),
        contract=Contract(ttft_s=1.0, tpot_s=0.05, percentile=0.99, tpot_definition="per_request_mean"),
        transfer=Transfer(bandwidth_bytes_per_s=50e9 * gpus),
        refinements=Refinements(
            overlap=141.2e9 / (0.9 * 80e9 * gpus),
            ttft_coupling=True,
            prefill_attention=True,
            decode_compute_bound=True,
            tensor_parallel_communication=True,
            prefill_pool_efficiency=0.9,
            decode_pool_efficiency=0.92,
            achieved_link_share=(87 / 100 + 190 / 400) / 2,
        ),
    )


def test_costs_and_margins_are_the_closed_forms():
    found = decided()
    by_hand = scenario(float(found.gpus_per_replica))
    for design in found.designs:
        usd = cost(scenario=by_hand, architecture=design.architecture).usd_per_mtok
        assert design.usd_per_mtok_at_scale == pytest.approx(usd, rel=1e-12)
    margins = {margin.axis: margin for margin in found.margins}
    assert margins["tpot-p99"].break_even == pytest.approx(break_evens(by_hand).tpot_s, rel=1e-9)
    assert margins["tpot-p99"].times == pytest.approx(margins["tpot-p99"].break_even / 0.05)
    assert (margins["rate"].disaggregation_is_cheaper, margins["rate"].break_even) == ("never", None)


def test_the_answer_is_the_cheapest_of_all_designs_and_replica_sizes():
    found = decided()
    best = found.designs[0]
    assert best.architecture == found.answer
    assert best.usd_per_mtok == min(size.usd_per_mtok for size in found.sizes if size.usd_per_mtok)
    assert [size.gpus for size in found.sizes] == [2, 4, 8]
    assert {design.architecture for design in found.designs} == set(ARCHITECTURES)


def test_the_bill_serves_the_load():
    """GPUs x rent over tokens per second is the stated cost, and no less than without rounding to whole replicas."""
    for design in decided().designs:
        replicas = design.prefill_replicas + design.decode_replicas
        assert design.gpus == replicas * 4
        assert design.usd_per_hour == pytest.approx(design.gpus * 2.3)
        assert design.usd_per_mtok == pytest.approx(design.usd_per_hour / 3600 / (20 * 500) * 1e6)
        assert design.usd_per_mtok >= design.usd_per_mtok_at_scale


def test_a_tighter_bound_costs_more_and_turns_to_disaggregation_at_scale():
    loose, tight = decided(), decided(tpot_p99_s=0.015)
    assert tight.designs[0].usd_per_mtok > loose.designs[0].usd_per_mtok
    at_scale = {design.architecture: design.usd_per_mtok_at_scale for design in tight.designs}
    assert at_scale["disaggregated"] < at_scale["chunked"]
    assert any("disaggregated to chunked" in flip for flip in tight.flips)


def test_a_flip_flips():
    """On the far side of every stated break-even the other of the two is the cheaper one."""
    found = decided()
    margin = next(margin for margin in found.margins if margin.axis == "tpot-p99")
    assert f"tpot-p99 below {margin.break_even:.4g}" in found.flips[0]
    for factor, cheaper in ((0.99, "disaggregated"), (1.01, "chunked")):
        by_hand = scenario(float(found.gpus_per_replica))
        bound = replace(by_hand.contract, tpot_s=margin.break_even * factor)
        usd = {
            name: cost(scenario=replace(by_hand, contract=bound), architecture=name).usd_per_token
            for name in ("chunked", "disaggregated")
        }
        assert min(usd, key=usd.get) == cheaper


def test_free_places_are_paid_for_and_named_where_they_flip_the_answer():
    """80 requests/s at 25 ms: with every place filled chunked is cheaper by 2 %, less than the places it has to keep free."""
    found = decided(requests_per_s=80, tpot_p99_s=0.025)
    assert found.answer == "disaggregated"
    assert any(flip.endswith("(place_queue): disaggregated to chunked") for flip in found.flips)
    axes = [flip for flip in found.flips if "(now " in flip]
    assert axes
    assert all(flip.endswith("chunked to disaggregated at scale") for flip in axes)
    assert "place_queue" in found.switches
    asked = scenario(float(found.gpus_per_replica))
    asked = replace(
        asked,
        workload=replace(asked.workload, arrival_rate_per_s=80.0),
        contract=replace(asked.contract, tpot_s=0.025),
    )
    full = {name: deployment(scenario=asked, architecture=name).usd_per_mtok for name in ARCHITECTURES}
    assert min(full, key=full.get) == "chunked"
    assert not any("place_queue" in flip for flip in decided().flips)


def test_the_overlap_that_flips_is_where_the_costs_meet():
    asked = scenario(8.0)
    asked = replace(asked, contract=replace(asked.contract, tpot_s=0.02))
    turning = overlap_break_even(asked)
    split = cost(scenario=asked, architecture="disaggregated").usd_per_token
    for overlap, cheaper in ((turning, True), (turning - 0.01, False)):
        switches = replace(asked.refinements, overlap=overlap)
        mixed = cost(scenario=replace(asked, refinements=switches), architecture="chunked").usd_per_token
        assert (mixed <= split) is np.bool_(cheaper)


def test_intervals_hold_the_cost_and_are_the_same_every_time():
    first, second = decided(), decided()
    assert first == second
    for design in first.designs:
        assert design.low_usd_per_mtok < design.usd_per_mtok < design.high_usd_per_mtok
    assert sum(design.chance_cheapest for design in first.designs) == pytest.approx(1.0)


def test_a_stated_price_is_certain_and_scales_the_bill():
    stated, dearer = decided(usd_per_gpu_hour=2.0), decided(usd_per_gpu_hour=4.0)
    assert dearer.designs[0].usd_per_mtok == pytest.approx(2 * stated.designs[0].usd_per_mtok)
    assert dearer.designs[0].high_usd_per_mtok == pytest.approx(2 * stated.designs[0].high_usd_per_mtok)
    assert stated.answer == dearer.answer
    assert "as you stated it" in stated.evidence[1]


def test_eight_bit_weights_need_fewer_gpus():
    sixteen, eight = decided(), decided(precision="fp8")
    assert [size.gpus for size in eight.sizes] == [1, 2, 4, 8]
    assert eight.designs[0].usd_per_mtok < sixteen.designs[0].usd_per_mtok


def test_a_contract_that_cannot_be_met_names_the_bound_and_the_nearest_that_can():
    found = decided(tpot_p99_s=0.004)
    assert found.answer is None
    assert found.flips == ()
    assert all(design.usd_per_mtok is None and design.chance_feasible == 0.0 for design in found.designs)
    assert all(any(bound.startswith("tpot_s is 0.004") for bound in design.broken_bounds) for design in found.designs)
    nearest = found.nearest[0]
    reached = decided(ttft_p99_s=nearest.ttft_p99_s, tpot_p99_s=nearest.tpot_p99_s)
    assert reached.answer is not None
    assert nearest.tpot_p99_s > 0.004


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"requests_per_s": 0.0}, "--rate must be positive .* any rate above 0 is answered"),
        ({"usd_per_gpu_hour": -1.0}, "--price must be positive"),
        ({"tpot_p99_s": float("nan")}, "--tpot-p99 must be positive .* the nearest that can be met"),
        ({"output_tokens": 0.0}, "--out must be positive .* 1 token"),
        ({"kv_gbps": -400.0}, "--kv-gbps must be positive .* the network of h100-sxm has 400"),
        ({"input_tokens": 1e12}, "does not fit on 4096 h100-sxm: the longest that does has 9e.08"),
        ({"precision": "fp3"}, "--precision must be one of bf16, fp8"),
        ({"tpot_definition": "best"}, "--tpot-definition must be one of per_request_mean"),
    ],
)
def test_an_absurd_question_is_refused_by_name(changes, complaint):
    with pytest.raises(QuestionError, match=complaint):
        decided(**changes)


def test_the_evidence_says_that_nothing_is_fitted():
    found = decided()
    assert found.calibration == "default"
    assert "nothing is fitted" in found.evidence[0]
    assert "3 seller(s) from 2 to 3 $ per GPU-hour" in found.evidence[1]


def test_a_fit_of_the_replica_size_replaces_the_defaults_and_holds_its_links():
    found = with_fits(fit(4, mfu=0.4, mbu=0.6), fit(None, mfu=0.3, mbu=0.5), fit(2, mfu=0.1, mbu=0.1))
    assert (found.calibration, found.gpus_per_replica) == ("fitted", 4)
    assert [(share.value, share.gpu_count) for share in found.shares] == [(0.4, 4), (0.6, 4)]
    by_hand = scenario(4.0)
    switches = replace(by_hand.refinements, tensor_parallel_communication=False)
    by_hand = replace(by_hand, efficiency=Efficiency(mfu=0.4, mbu=0.6), refinements=switches)
    for design in found.designs:
        usd = cost(scenario=by_hand, architecture=design.architecture).usd_per_mtok
        assert design.usd_per_mtok_at_scale == pytest.approx(usd, rel=1e-12)
    assert found.designs[0].usd_per_mtok > decided().designs[0].usd_per_mtok
    assert "MFU 0.40 (single points 0.32 to 0.44) fitted to 10 steps, 4 GPU(s), engine vllm (mine)" in found.evidence[0]


def test_another_replica_size_takes_the_pooled_fit_and_a_phase_without_one_the_default():
    found = with_fits(fit(None, mfu=0.3, mbu=None))
    assert found.calibration == "fitted_in_part"
    assert [(share.basis, share.value, share.gpu_count) for share in found.shares] == [
        ("fitted", 0.3, None),
        ("default", 0.8, None),
    ]
    assert "all GPU counts pooled" in found.evidence[0]


def test_of_two_engines_the_one_asked_for_or_with_more_points_counts():
    fits = (fit(None, mfu=0.4, mbu=0.6, points=4), fit(None, mfu=0.2, mbu=0.3, engine="distserve", points=9))
    assert with_fits(*fits).shares[0].engine == "distserve"
    assert with_fits(*fits, engine="vllm").shares[0].value == 0.4
    with pytest.raises(QuestionError, match="nothing is fitted for engine sglang; fitted are: distserve, vllm"):
        with_fits(*fits, engine="sglang")


def test_fits_of_another_model_or_width_are_no_fits_but_are_told():
    other = with_fits(fit(4, mfu=0.2, mbu=0.3, model="opt-66b"))
    assert other.designs == decided().designs
    assert "other models on this GPU reached 0.30 to 0.30" in other.evidence[0]
    assert with_fits(fit(None, mfu=0.2, mbu=0.3), precision="fp8").calibration == "default"
    assert with_fits(fit(None, mfu=0.2, mbu=0.3, precision="fp16")).calibration == "fitted"


def test_half_of_the_draws_of_a_share_lie_below_it():
    share = with_fits(fit(4, mfu=0.4, mbu=0.6)).shares[0]
    drawn = spread_of(share, at=np.linspace(0.0, 1.0, 1001))
    assert (drawn.min(), np.median(drawn), drawn.max()) == pytest.approx((share.low, share.value, share.high))


def test_a_published_fit_answers_on_the_command_line(refreshed: Path, warehouse):
    mfu, mbu = warehouse.execute(
        "SELECT mfu_without_overhead, mbu_without_overhead FROM marts.calibration "
        "WHERE gpu = 'h100-sxm' AND model = 'llama-2-70b' AND gpu_count = 4"
    ).fetchone()
    done = ask(refreshed, model="llama-2-70b", ttft_p99="2", tpot_p99="0.1")
    assert f"fitted, llama-2-70b on h100-sxm: MFU {mfu:.2f}" in done.stdout
    assert f"MBU {mbu:.2f}" in done.stdout


def ask(folder: Path, **changes: str):
    options = OPTIONS | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return iecon(folder, "decide", *(word for option in options.items() for word in option))


def test_json_on_the_command_line_is_the_python_call(refreshed: Path):
    done = iecon(refreshed, "decide", "--json", "--kv-gbps", "400", "--price", "2.10", *(w for o in OPTIONS.items() for w in o))
    assert done.returncode == 0, done.stderr
    question = replace(ASKED, kv_gbps=400.0, usd_per_gpu_hour=2.1)
    decision = decide(question, warehouse=refreshed / "releases" / "latest.duckdb")
    assert json.loads(done.stdout) == json.loads(json.dumps(asdict(decision), allow_nan=False))


def test_the_command_says_what_to_rent_and_what_it_rests_on(refreshed: Path):
    shown = ask(refreshed).stdout
    for words in (
        "Cheapest that meets the contract",
        "per million output tokens",
        "What would flip",
        "nothing is fitted",
    ):
        assert words in shown
    infeasible = ask(refreshed, tpot_p99="0.002")
    assert infeasible.returncode == 0
    assert "No design meets this contract" in infeasible.stdout
    assert "The nearest that can be met" in infeasible.stdout


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rate": "0"}, "--rate must be positive"),
        ({"price": "-2"}, "--price must be positive and finite, got -2.0: today's rent of h100-sxm is $"),
        ({"price": "0", "gpu": "h20-sxm"}, "--price must be positive"),
        ({"gpu": "h1000-sxm"}, "unknown gpu h1000-sxm: did you mean h100-sxm"),
        ({"gpu": "t4", "price": "1", "kv-gbps": "100"}, "no document states the link between so many of them"),
        ({"gpu": "h100-nvl"}, "no rent is known for h100-nvl: give --price"),
        ({"model": "gpt-5"}, "no shape is known for gpt-5"),
        ({"model": "llama-3.1-80b"}, "unknown model llama-3.1-80b: did you mean llama-3.1-"),
        ({"gpu": "a40"}, "give --kv-gbps"),
        ({"gpu": "a100-80gb-sxm", "precision": "fp8"}, "has no fp8 peak"),
        ({"gpu": "h20-sxm"}, "no rent is known for h20-sxm: give --price"),
    ],
)
def test_a_bad_question_is_one_clear_line_and_exit_code_2(refreshed: Path, changes: dict[str, str], complaint: str):
    done = ask(refreshed, **changes)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_question_waits_for_neither_data_frames_nor_the_orchestrator():
    heavy = "{'dagster', 'pandera', 'polars', 'pyarrow', 'numba', 'scipy.stats', 'scipy.optimize'}"
    code = f"import sys, pipelines.cli, answers.decide.answer, answers.decide.text; sys.exit(str({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"


def test_before_the_first_refresh_it_says_what_to_do(tmp_path: Path):
    done = ask(tmp_path)
    assert done.returncode == 1
    assert "run `iecon refresh` first" in done.stderr
    with pytest.raises(FileNotFoundError, match="iecon refresh"):
        decide(ASKED, warehouse=tmp_path / "none.duckdb")
