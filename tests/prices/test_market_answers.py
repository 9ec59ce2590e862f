"""What follows from use and prices paid: closed forms by hand, and the tables of a real refresh against their own parts."""

import json
import re
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.prices.rents_by_day import change_of
from assets.prices.use import last_whole_month, with_class
from assets.prices.volumes import shares_of, with_dollars
from economics.prices.index import blended_usd_per_mtok
from economics.prices.market import discordant_share, herfindahl, mix_usd_per_mtok, weighted_chain
from tests.refreshed import ROOT, iecon

Warehouse = duckdb.DuckDBPyConnection
NOTE = " ".join((ROOT / "docs" / "market.md").read_text().split())
JULY = "month = DATE '2026-07-01'"


def one(warehouse: Warehouse, sql: str) -> tuple:
    (row,) = warehouse.execute(sql).fetchall()
    return row


# --- closed forms


def test_price_of_a_mix_by_hand() -> None:
    """3 in, two thirds of it cached at 1, the rest at 10; 1 out at 40: (10 + 2 x 1 + 40) / 4."""
    usd = mix_usd_per_mtok(
        input_usd_per_mtok=10.0,
        cache_read_usd_per_mtok=1.0,
        output_usd_per_mtok=40.0,
        input_tokens=3.0,
        output_tokens=1.0,
        cached_share=2 / 3,
    )
    assert usd == pytest.approx(13.0)


def test_price_of_a_mix_without_cache_is_the_blend() -> None:
    for cached, price in ((0.0, 1.0), (0.7, np.nan)):
        usd = mix_usd_per_mtok(
            input_usd_per_mtok=2.5,
            cache_read_usd_per_mtok=price,
            output_usd_per_mtok=10.0,
            input_tokens=3.0,
            output_tokens=1.0,
            cached_share=cached,
        )
        assert usd == blended_usd_per_mtok(input_usd_per_mtok=2.5, output_usd_per_mtok=10.0, input_per_output=3.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cached_share": 1.2}, "cached_share"),
        ({"input_tokens": -1.0}, "input_tokens"),
        ({"output_usd_per_mtok": -1.0}, "output_usd"),
        ({"input_tokens": 0.0, "output_tokens": 0.0}, "needs tokens"),
    ],
)
def test_price_of_an_absurd_mix_is_refused(wrong: dict[str, float], said: str) -> None:
    right = {
        "input_usd_per_mtok": 1.0,
        "cache_read_usd_per_mtok": 0.1,
        "output_usd_per_mtok": 4.0,
        "input_tokens": 3.0,
        "output_tokens": 1.0,
        "cached_share": 0.5,
    }
    with pytest.raises(ValueError, match=said):
        mix_usd_per_mtok(**(right | wrong))


def test_concentration_and_order() -> None:
    assert herfindahl(amounts=[1.0, 1.0, 1.0, 1.0]) == 0.25
    assert herfindahl(amounts=[5.0, 0.0]) == 1.0
    assert np.isnan(herfindahl(amounts=[0.0]))
    assert discordant_share(before=[1, 2, 3], after=[10, 20, 30]) == 0.0
    assert discordant_share(before=[1, 2, 3], after=[3, 2, 1]) == 1.0
    assert discordant_share(before=[1, 2, 3], after=[1, 3, 2]) == pytest.approx(1 / 3)
    assert np.isnan(discordant_share(before=[1.0, 1.0], after=[1.0, 2.0]))


def test_weighted_chain_by_hand() -> None:
    """Nine tenths of the money halves, one tenth doubles; then the first is gone and the second stands still."""
    value, covered = weighted_chain(usd=np.array([[2.0, 1.0], [1.0, 2.0], [np.nan, 2.0]]), weight=[9.0, 1.0])
    assert value == pytest.approx([1.0, 2.0 ** (-0.9 + 0.1), 2.0 ** (-0.9 + 0.1)])
    np.testing.assert_allclose(covered, [np.nan, 1.0, 0.1])


# --- assets on small inputs


def used(slug: str, *, prompt: float, cached: float) -> dict[str, object]:
    return {"source_model": slug, "input_tokens_per_request": prompt, "cached_share": cached}


def test_classes_of_workloads() -> None:
    rows = pl.DataFrame(
        [
            used("a/m", prompt=7_999, cached=0.9),
            used("a/m", prompt=8_000, cached=0.5),
            used("a/m", prompt=8_000, cached=0.4),
            used("a/m", prompt=50_000, cached=0.0),
            used("openai/gpt-5-codex", prompt=100, cached=0.0),
            used("a/decoder", prompt=1, cached=0.0),
        ]
    )
    assert with_class(rows)["workload"].to_list() == ["chat", "agent", None, "long_context", "code", "chat"]


def test_a_partial_month_is_no_whole_one() -> None:
    days = {date(2026, 6, 1): 14, date(2026, 7, 1): 31, date(2026, 8, 1): 8}
    assert last_whole_month(pl.DataFrame({"month": list(days), "days": list(days.values())})) == date(2026, 7, 1)
    assert last_whole_month(pl.DataFrame({"month": list(days)[::2], "days": [14, 8]})) == date(2026, 6, 1)


def test_dollars_move_with_the_list_price_and_free_has_none() -> None:
    """Paid 1 and 2 on 8 August; the list price of July was five times as high: 1 M in and 1 M out cost 5 + 10."""
    month, day, known = date(2026, 7, 1), date(2026, 7, 16), date(2026, 8, 8)
    use = pl.DataFrame(
        {
            "source_model": ["a/m", "a/m", "b/n"],
            "variant": ["standard", "free", "standard"],
            "month": [month] * 3,
            "day": [day] * 3,
            "model": ["m", "m", None],
            "is_free": [False, True, False],
            "prompt_tokens": [10**6] * 3,
            "completion_tokens": [10**6] * 3,
        }
    )
    paid = pl.DataFrame(
        {
            "source_model": ["a/m"],
            "variant": ["standard"],
            "as_of": [known],
            "paid_input_usd_per_mtok": [1.0],
            "paid_output_usd_per_mtok": [2.0],
        }
    )
    listed = pl.DataFrame(
        {"model": ["m", "m"], "as_of": [day, known], "input_usd_per_mtok": [5.0, 1.0], "output_usd_per_mtok": [10.0, 2.0]}
    )
    told = with_dollars(use, paid, listed).sort("source_model", "variant")
    assert told.select("variant", "usd", "dollar_basis").rows() == [
        ("free", None, None),
        ("standard", 15.0, "paid_moved_by_list"),
        ("standard", None, "unknown"),
    ]


def test_entry_and_exit() -> None:
    rows = pl.DataFrame(
        {
            "month": [date(2026, 6, 1)] * 2 + [date(2026, 7, 1)] * 2,
            "name": ["a", "b", "a", "c"],
            "tokens": [3, 1, 1, 1],
        }
    )
    _, july = shares_of(rows, "model", "tokens").rows(named=True)
    assert (july["herfindahl"], july["entered"], july["entered_share"], july["left"], july["left_share"]) == (
        0.5,
        1,
        0.5,
        1,
        0.25,
    )


def test_a_dearer_rent_has_its_sign_and_says_how_sure_its_pace_is() -> None:
    days = pl.DataFrame(
        {"as_of": [date(2026, 5, day) for day in range(1, 11)], "usd_per_gpu_hour": [1.1**day for day in range(10)]}
    )
    steady = change_of(days)
    assert (steady["direction"], steady["pace_is_sure"]) == ("dearer", True)
    assert steady["fall"] == pytest.approx(1.1**-9)
    rough = change_of(days.with_columns(usd_per_gpu_hour=pl.Series([1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 1.2])))
    assert (rough["direction"], rough["pace_is_sure"]) == ("dearer", False)


# --- a real refresh


def test_sums_of_the_market_are_those_of_use(warehouse: Warehouse) -> None:
    assert one(warehouse, "SELECT sum(tokens), sum(requests) FROM marts.market_volume") == one(
        warehouse, "SELECT sum(prompt_tokens + completion_tokens), sum(requests) FROM core.model_usage"
    )
    assert one(warehouse, "SELECT sum(tokens), sum(requests) FROM marts.market_volume_by_tier") == one(
        warehouse, "SELECT sum(tokens), sum(requests) FROM marts.market_volume"
    )
    assert one(
        warehouse, "SELECT count(usd), count(dollar_basis) FROM marts.market_volume WHERE is_free OR variant = 'free'"
    ) == (0, 0)
    assert one(warehouse, "SELECT usd FROM marts.market_volume_by_tier WHERE tier = 'free' LIMIT 1") == (0.0,)


def test_reasoning_factors_of_models_in_july(warehouse: Warehouse) -> None:
    found = dict(
        warehouse.execute(f"SELECT model, round(reasoning_factor, 2) FROM marts.reasoning_factor WHERE {JULY}").fetchall()
    )
    stated = re.search(r"In July: (.*?)\. A seller", NOTE)
    assert stated
    for model, factor in re.findall(r"([\w.\-]+) (\d\.\d\d)", stated[1]):
        assert found[model] == float(factor), model


def test_numbers_of_the_note(warehouse: Warehouse) -> None:
    usd, priced = one(
        warehouse,
        f"""SELECT sum(usd) / 1e6, sum(tokens) FILTER (usd IS NOT NULL) / sum(tokens)
        FROM marts.market_volume WHERE {JULY} AND NOT is_free""",
    )
    (left,) = one(warehouse, f"SELECT usd_share FROM marts.market_volume_by_tier WHERE {JULY} AND tier = 'unclassified'")
    top = one(
        warehouse,
        f"SELECT usd_share, token_share FROM marts.market_volume_by_tier WHERE {JULY} AND tier = 'frontier_reasoning'",
    )
    anthropic = one(
        warehouse,
        f"""SELECT sum(usd) FILTER (author = 'anthropic') / sum(usd),
        sum(tokens) FILTER (author = 'anthropic') / sum(tokens) FROM marts.market_volume WHERE {JULY} AND NOT is_free""",
    )
    (covered,) = one(warehouse, f"SELECT max(usd_covered) FROM marts.market_split_money WHERE {JULY}")
    paid, cache = one(
        warehouse,
        """SELECT sum(tokens * input_usd_per_mtok) / sum(tokens * list_input_usd_per_mtok),
        sum(tokens * list_input_usd_per_mtok * cache_factor) / sum(tokens * list_input_usd_per_mtok)
        FROM core.price_paid WHERE input_paid_over_list IS NOT NULL""",
    )
    (near,) = one(
        warehouse,
        """SELECT avg((abs(input_rest_factor - 1) < 0.02)::INT) FROM core.price_paid
        WHERE stated_discount = 0 AND tokens > 1e8 AND input_rest_factor IS NOT NULL""",
    )
    (dearer,) = one(warehouse, "SELECT factor FROM marts.hardware_factor_by_day ORDER BY last_on DESC LIMIT 1")
    (pairs,) = one(warehouse, "SELECT pairs_in_other_order FROM marts.mix_effect WHERE mix = 'market'")
    for said in (
        f"July comes to {usd:.0f} million dollars, for {100 * priced:.1f} % of the paid tokens",
        f"frontier reasoning takes {100 * top[0]:.0f} % of July's dollars with {100 * top[1]:.0f} % of the tokens",
        f"{100 * left:.0f} % go to models that stay unclassified",
        f"take {100 * anthropic[0]:.0f} % of the dollars with {100 * anthropic[1]:.0f} % of the paid tokens",
        f"stand for {100 * covered:.0f} % of July's dollars",
        f"input cost {100 * paid:.0f} % of its list price, and the cache alone accounts for {100 * cache:.0f} %",
        f"within 2 % of 1 in {100 * near:.0f} % of the sellers",
        f"{dearer:.2f} times cheaper by 6 August",
        f"{100 * pairs:.0f} % of the pairs of models stand in another order",
    ):
        assert said in NOTE, said


def test_hardware_factor_has_its_sign(warehouse: Warehouse) -> None:
    factor, low, high, direction = one(
        warehouse,
        """SELECT factor, factor_low, factor_high, direction
        FROM marts.hardware_factor_by_day ORDER BY last_on DESC LIMIT 1""",
    )
    assert (low <= factor <= high < 1, direction) == (True, "dearer")
    assert one(warehouse, "SELECT direction FROM marts.gpu_rent_change WHERE provider = 'ornn' AND gpu = 'h100-sxm'") == (
        "dearer",
    )


def test_the_even_mix_is_cpm(warehouse: Warehouse) -> None:
    assert one(
        warehouse,
        """SELECT max(abs(b.usd_per_mtok / f.cpm_usd_per_mtok - 1)) < 1e-12, count(*) > 50
        FROM marts.price_by_mix b JOIN marts.price_frontier f USING (model) WHERE b.mix = 'even' AND f.scale = 'eci'""",
    ) == (True, True)


def test_series_exist_in_every_mix(warehouse: Warehouse) -> None:
    blends = warehouse.execute(
        "SELECT DISTINCT input_per_output FROM marts.price_slope WHERE kind = 'fixed_quality' ORDER BY 1"
    ).fetchall()
    assert blends == [(1.0,), (3.0,), (31.0,)]


# --- commands


def test_price_command_prices_your_mix(refreshed: Path, warehouse: Warehouse) -> None:
    done = iecon(refreshed, "price", "gpt-oss-120b", "--in", "14594", "--out", "471", "--cached", "0.72", "--json")
    (row,) = json.loads(done.stdout)
    (usd,) = one(warehouse, "SELECT usd_per_mtok FROM marts.price_in_mix(14594, 471, 0.72) WHERE model = 'gpt-oss-120b'")
    assert row["usd_per_mtok"] == usd
    assert row["usd_per_request"] == pytest.approx(usd * (14594 + 471) / 1e6)
    wrong = iecon(refreshed, "price", "gpt-oss-120", "--in", "1")
    assert (wrong.returncode, "did you mean gpt-oss-120b" in wrong.stderr) == (2, True)
    assert iecon(refreshed, "price", "--cached", "72").returncode == 2


def test_named_workloads_price_and_decide(refreshed: Path, warehouse: Warehouse) -> None:
    prompt, reply, cached = one(
        warehouse, "SELECT input_tokens, output_tokens, cached_share FROM core.workload_in_use WHERE workload = 'chat'"
    )
    (named,) = json.loads(iecon(refreshed, "price", "gpt-oss-120b", "--workload", "chat", "--json").stdout)
    stated = ("--in", str(prompt), "--out", str(reply), "--cached", str(cached))
    assert json.loads(iecon(refreshed, "price", "gpt-oss-120b", *stated, "--json").stdout) == [named]
    asked = ["decide", "--model", "llama-3.1-70b", "--gpu", "h100-sxm", "--rate", "5", "--ttft-p99", "2", "--tpot-p99", "0.1"]
    decided = json.loads(iecon(refreshed, *asked, "--workload", "chat", "--out", "100", "--json").stdout)
    assert (decided["question"]["input_tokens"], decided["question"]["output_tokens"]) == (prompt, 100.0)
    assert decided["evidence"][0].startswith("workload: chat, means of")
    for wrong, said in ((["--workload", "chatt"], "did you mean chat?"), ([], "give --in and --out, or --workload")):
        done = iecon(refreshed, *asked, *wrong)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_decide_takes_the_rent_of_a_day(refreshed: Path) -> None:
    asked = [
        "decide",
        "--model",
        "llama-3.1-70b",
        "--gpu",
        "h100-sxm",
        "--in",
        "2000",
        "--out",
        "300",
        "--rate",
        "10",
        "--ttft-p99",
        "1",
        "--tpot-p99",
        "0.05",
    ]
    rents = {}
    for options in (("2026-04-20",), ("2026-08-06",), ("2026-08-01", "--rent-term", "marketplace", "--rent-statistic", "p25")):
        done = iecon(refreshed, *asked, "--rent-day", *options, "--json")
        assert done.returncode == 0, done.stderr
        rents[options] = json.loads(done.stdout)["designs"][0]["usd_per_gpu_hour"]
    assert list(rents.values()) == pytest.approx([1.78, 2.72, 2.102407])
    unknown = iecon(refreshed, *asked, "--rent-day", "2026-01-01")
    assert (unknown.returncode, "rental_index (price) 2026-04-20 to 2026-08-06" in unknown.stderr) == (2, True)
    assert iecon(refreshed, *asked, "--rent-day", "2026-04-20", "--price", "2").returncode == 2
