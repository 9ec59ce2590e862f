"""Host it or call it, on a refreshed warehouse: bills by hand, what must hold whatever the figures, and how it reads."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import iecon
from answers.host_or_call.loads import load_of, traced
from answers.host_or_call.record import HostOrCallDecision, HostOrCallError
from tests.refreshed import iecon as command

MONTH_S = 730.5 * 3600
ASKED: dict[str, Any] = {
    "model": "llama-3.3-70b",
    "input_tokens": 4000.0,
    "output_tokens": 500.0,
    "rate": 5.0,
    "peak": 3.0,
    "gpus": ("b200-sxm",),
    "ttft_p99_s": 2.0,
    "tpot_p99_s": 0.05,
}


def ask(folder: Path, **changed: Any) -> HostOrCallDecision:
    return iecon.host_or_call(data=folder, **{**ASKED, **changed})


def test_a_stated_price_is_billed_by_hand(refreshed):
    # 4,000 x (.6 x $2 + .4 x $.2) + 500 x $8 per million = $.00912 a request, 5 a second around the clock.
    found = ask(refreshed, api_price="2/8/.2", cached=0.4)
    assert found.reference.seller == "your price"
    assert found.reference.usd_per_request == pytest.approx(4000e-6 * (0.6 * 2 + 0.4 * 0.2) + 500e-6 * 8)
    assert found.reference.usd_per_month == pytest.approx(found.reference.usd_per_request * 5 * MONTH_S)


def test_a_seller_is_billed_at_its_own_price(refreshed, warehouse):
    found = ask(refreshed)
    call = next(call for call in found.calls if call.seller == "groq")
    price = "SELECT input_usd_per_mtok, output_usd_per_mtok FROM core.llm_price_wide WHERE provider = 'groq' AND model = ?"
    given, written = warehouse.execute(price, ["llama-3.3-70b"]).fetchall()[0]
    assert call.usd_per_request == pytest.approx(4000e-6 * given + 500e-6 * written)
    assert call.age_days is not None
    assert found.calls[0].usd_per_month <= call.usd_per_month


def test_the_tier_of_a_long_prompt_bills_all_of_it(refreshed, warehouse):
    tiers = """
        SELECT provider, model, tier_min_tokens, usd_per_mtok FROM core.llm_price_current
        WHERE leg = 'input' AND variant = 'standard' AND is_canonical AND tier_min_tokens = 200000
        ORDER BY provider, model LIMIT 1
    """
    seller, model, bound, usd = warehouse.sql(tiers).fetchall()[0]
    long = ask(refreshed, against=(model,), input_tokens=float(bound), output_tokens=1.0)
    short = ask(refreshed, against=(model,), input_tokens=float(bound - 1), output_tokens=1.0)
    billed = [next(call for call in found.alternatives if call.model == model) for found in (long, short)]
    if billed[0].seller == seller:
        assert billed[0].usd_per_request == pytest.approx(usd * bound / 1e6, rel=1e-3)
    assert billed[0].usd_per_request > billed[1].usd_per_request


def test_hosting_is_paid_for_the_peak_and_the_two_costs_are_apart(refreshed):
    host = ask(refreshed, ops_usd_per_month=3000.0).best
    hours = 730.5
    assert host.usd_per_month == pytest.approx(host.gpus * host.usd_per_gpu_hour * hours + 3000.0)
    assert host.instances * host.capacity_per_s >= 15.0 > (host.instances - 1) * host.capacity_per_s
    busy = host.gpus_per_instance * host.usd_per_gpu_hour / (host.capacity_per_s * 3600 * 4500) * 1e6
    assert host.usd_per_mtok_busy == pytest.approx(busy)
    assert host.usd_per_mtok_reserved == pytest.approx(host.usd_per_month / (5 * MONTH_S * 4500) * 1e6)
    assert host.usd_per_mtok_reserved > host.usd_per_mtok_busy


def test_a_month_at_the_break_even_costs_the_same(refreshed):
    host = ask(refreshed, api_price="2/8").best
    at = ask(refreshed, api_price="2/8", rate=host.break_even_per_day / 86_400)
    assert at.best.usd_per_month == pytest.approx(at.reference.usd_per_month, rel=1e-6)
    assert host.low_break_even_per_day <= host.break_even_per_day
    assert host.break_even_mtok_per_month == pytest.approx(host.break_even_per_day * 730.5 / 24 * 4500 / 1e6)


@pytest.mark.parametrize(("name", "values"), [("rate", (1.0, 10.0)), ("peak", (1.0, 4.0)), ("usd_per_gpu_hour", (2.0, 6.0))])
def test_more_of_it_never_costs_less(refreshed, name, values):
    months = [ask(refreshed, **{name: value}).best.usd_per_month for value in values]
    assert months[0] <= months[1]


def test_more_from_cache_costs_neither_side_more(refreshed):
    plain, cached = (ask(refreshed, cached=share, against=("gpt-5-mini",)) for share in (0.0, 0.6))
    assert cached.best.usd_per_month <= plain.best.usd_per_month
    assert cached.reference.usd_per_month <= plain.reference.usd_per_month


def test_an_owned_gpu_is_amortised_and_powered(refreshed):
    owned = ask(refreshed, owned=(35_000.0, 4.0, 0.0, 0.1, 1.3)).best
    assert owned.term == "owned"
    assert owned.usd_per_gpu_hour == pytest.approx(35_000 / (4 * 8766) + 1.0 * 1.3 * 0.1, rel=0.05)


def test_what_is_split_costs_no_more_than_either_and_a_simulation_agrees(refreshed):
    found = ask(refreshed, rate=50.0, peak=None, profile="office", gpus=("mi355x",), api_price=".4/.8")
    assert found.answer == "both"
    assert found.both.usd_per_month < min(found.reference.usd_per_month, found.best.usd_per_month)
    assert found.both.simulated_usd_per_month == pytest.approx(found.both.usd_per_month, rel=0.02)
    assert 0 < found.both.called_share < 1


def test_a_scaled_load_costs_between_the_mean_and_the_peak(refreshed):
    fast, slow = (ask(refreshed, start_up_s=seconds, rate=50.0).best for seconds in (60.0, 7200.0))
    assert fast.scaled_usd_per_month <= slow.scaled_usd_per_month <= slow.usd_per_month


def test_what_can_wait_need_not_be_held_at_the_peak(refreshed):
    assert ask(refreshed, batch_share=1.0).best.instances <= ask(refreshed).best.instances


def test_dollars_per_correct_answer_on_both_sides(refreshed):
    found = ask(refreshed, accuracy=["llama-3.3-70b=.7"])
    assert found.reference.usd_per_correct == pytest.approx(found.reference.usd_per_request / 0.7)
    assert found.best.usd_per_correct == pytest.approx(found.best.usd_per_month / (5 * MONTH_S) / 0.7)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"model": "llama-9-70b"}, "unknown model"),
        ({"gpus": ("h1000",)}, "unknown gpu"),
        ({"rate": -1.0}, "--rate"),
        ({"cached": 40.0}, "did you mean 0.4"),
        ({"tpot_p99_s": 50.0}, "did you mean 0.05"),
        ({"api_price": "cheap"}, "IN/OUT"),
        ({"term": "reserved_9y"}, "known are"),
        ({"term": "owned"}, "--gpu-usd"),
        ({"peak": 0.5}, "--peak"),
        ({"profile": "nowhere.csv"}, "--profile"),
        ({"precision": "fp7"}, "--precision"),
        ({"accuracy": ["llama-3.3-70b"]}, "MODEL=SHARE"),
    ],
)
def test_an_absurd_question_is_refused_in_one_line(refreshed, wrong, said):
    with pytest.raises(ValueError, match=said):
        ask(refreshed, **wrong)


def test_a_contract_that_no_gpu_meets_leaves_the_call(refreshed):
    asked = "--model llama-3.3-70b --in 4000 --out 500 --rate 5 --tpot-p99 .0001 --json"
    done = command(refreshed, "host-or-call", *asked.split())
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["answer"] == "call"
    assert found["best"] is None
    assert "p99 TTFT" in found["hosts"][0]["reason"]


def test_it_reads_at_80_columns_with_the_answer_first(refreshed):
    done = command(
        refreshed,
        "host-or-call",
        *["--model", "llama-3.3-70b", "--in", "4000", "--out", "500", "--rate", "5", "--peak", "3", "--gpu", "h100-sxm"],
        COLUMNS="80",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(("Call: $", "Host: $", "Both: "))
    for heading in ("What would flip the answer:", "Behind it:"):
        assert heading in lines


def test_a_trace_says_rate_peak_and_lengths(tmp_path):
    # An hour at one request a second, then ten minutes at two.
    requests = [(float(second), 100, 10) for second in range(3600)] + [(3600 + turn / 2, 300, 30) for turn in range(1200)]
    begun = datetime(2024, 5, 10, tzinfo=UTC)
    lines = [f"{(begun + timedelta(seconds=at)):%Y-%m-%d %H:%M:%S.%f},{given},{written}" for at, given, written in requests]
    file = tmp_path / "trace.csv"
    file.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *lines]) + "\n")
    found = traced(file, requests_per_s=None)
    assert found.input_tokens == pytest.approx((3600 * 100 + 1200 * 300) / 4800)
    assert found.load.mean_per_s == pytest.approx(4800 / 4200, rel=0.05)
    assert found.load.peak_factor == pytest.approx(2 / (4800 / 4200), rel=0.1)


def test_a_profile_of_ones_own(tmp_path):
    file = tmp_path / "week.csv"
    file.write_text("hour,rate\n0,1\n1,3\n")
    load = load_of(requests_per_s=10.0, peak=None, profile=str(file))
    assert list(load.rates_per_s) == [5.0, 15.0]
    file.write_text("hour,rate\n0,0\n1,0\n")
    with pytest.raises(ValueError, match="not all 0"):
        load_of(requests_per_s=10.0, peak=None, profile=str(file))
    assert issubclass(HostOrCallError, ValueError)


def test_a_router_on_ones_own_outcomes_is_judged_beside(refreshed, tmp_path):
    # The weak model is right where the score is low, the strong one nearly always.
    rows = []
    for item in range(600):
        score = item % 100 / 100
        rows += [
            f"q{item},llama-3.3-70b,{int(item % 50 > 0)},.01,{score}",
            f"q{item},gpt-5-nano,{int(score < 0.7)},.0005,{score}",
        ]
    file = tmp_path / "outcomes.csv"
    file.write_text("\n".join(["item,model,correct,cost_usd,score", *rows]) + "\n")
    routed = ask(refreshed, route=file).routed
    assert (routed.strong, routed.weak) == ("llama-3.3-70b", "gpt-5-nano")
    assert routed.pays in ("yes", "no", "not shown")
    assert 0 < routed.strong_share <= 1
    assert routed.usd_per_month > 0
