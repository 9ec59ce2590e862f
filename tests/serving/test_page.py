"""Numbers that docs/serving.md quotes of the closed forms are those of the warehouse."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "serving.md").read_text()
QUERIES = Path(__file__).resolve().parents[2] / "warehouse" / "queries"
WORDS = re.sub(r"\s+", " ", PAGE)


def cells(first: str) -> list[str]:
    """Cells of the table row that begins with `first`."""
    (row,) = re.findall(rf"^\| {re.escape(first)} \|(.*)\|$", PAGE, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def query(warehouse, number: str) -> list[dict]:
    (file,) = QUERIES.glob(f"{number}_*.sql")
    return warehouse.sql(file.read_text().rstrip().rstrip(";")).pl().to_dicts()


def number(cell: str) -> float:
    """A share or a change as the page writes it, x10 as promise over what is kept."""
    if cell.startswith("x"):
        return float(cell[1:]) - 1.0
    return float(cell.removesuffix("%")) / (100.0 if cell.endswith("%") else 1.0)


@pytest.mark.parametrize("setting", ["plain", "measured"])
def test_shares_of_the_partition(warehouse, setting):
    (found,) = warehouse.sql(f"""
        SELECT avg(chunked_share), avg(unchunked_share), avg(disaggregated_share), avg(infeasible_share), avg(boundary_share),
               max(isolated_share)
        FROM marts.partition_summary WHERE setting = '{setting}'
    """).fetchall()
    row = next(row for row in re.findall(rf"^\| {setting} \|(.*)\|$", PAGE, re.MULTILINE) if row.count("%") >= 4)
    quoted = [number(cell.strip()) for cell in row.split("|")]
    assert list(found[:-1]) == pytest.approx(quoted[:-1], abs=0.0051)
    assert found[-1] == pytest.approx(quoted[-1], abs=0.00005)


def test_how_the_crossover_moves(warehouse):
    rows = query(warehouse, "41")
    moved = {
        (setting, name): sorted(row[name] for row in rows if row["setting"] == setting)
        for setting in ("plain", "measured")
        for name in ("h100_over_a100", "h200_over_h100")
    }

    def said(*values: float) -> list[str]:
        return [f"{value:.2f}".removeprefix("0") for value in values]

    low, high = said(moved["plain", "h100_over_a100"][0], moved["plain", "h100_over_a100"][-1])
    assert f"by a factor of {low} to {high}" in WORDS
    low, high = said(moved["measured", "h100_over_a100"][0], moved["measured", "h100_over_a100"][-1])
    assert f"on measured engines by {low} to {high}" in WORDS
    low, high, third, last = said(*(moved["measured", "h200_over_h100"][at] for at in (0, 9, 10, 11)))
    assert f"it tightens for ten ({low} to {high}) and loosens for two ({third} and {last})" in WORDS
    assert sum(ratio > 1 for ratio in moved["plain", "h200_over_h100"]) == 10


def test_regions_of_work(warehouse):
    found = warehouse.sql("""
        SELECT region, form, sum(disaggregated_share * cells) / sum((1 - coalesce(infeasible_share, 0)) * cells), sum(cells)
        FROM marts.partition_region GROUP BY ALL
    """).fetchall()
    shares = {(region, form): (share, n) for region, form, share, n in found}
    for lengths, region in (
        ("16,000 tokens in, 500 out", "prefill_heavy_long_context"),
        ("3,500 in, 875 out", "balanced"),
        ("500 in, 1,000 out", "decode_heavy_short_context"),
    ):
        plain, measured, pairs = cells(f"{lengths}: disaggregation is cheapest")
        assert [shares[region, "plain"][0], shares[region, "measured"][0]] == pytest.approx(
            [number(plain.replace(" ", "")), number(measured.replace(" ", ""))], abs=0.0051
        )
        share, n = pairs.split(" % of ")
        assert (shares[region, "measured_pairs"][0], int(n)) == (
            pytest.approx(int(share) / 100, abs=0.0051),
            shares[region, "measured_pairs"][1],
        )


def test_the_referees_disagree_along_the_bound(warehouse):
    split = dict(
        warehouse.sql("""
        SELECT tpot_bound_s, round(100 * avg((cheaper = 'disaggregated')::INT)) FROM marts.pool_comparison GROUP BY ALL
    """).fetchall()
    )
    assert f"{split[0.02]:.0f} % of pairs at 20 ms, {split[0.05]:.0f} % at 50 ms" in WORDS
    ((tight, loose),) = warehouse.sql("""
        SELECT avg((winner = 'disaggregated')::INT) FILTER (tpot_s <= .03),
               avg((winner = 'disaggregated')::INT) FILTER (tpot_s >= .1)
        FROM marts.break_even_surface WHERE setting = 'measured' AND input_per_output >= 8 AND winner <> 'none'
    """).fetchall()
    assert f"{tight:.0%} at 30 ms and less, {loose:.0%} at 100 ms and more".replace("%", " %") in WORDS


STREAMS = {
    "Poisson, all of the mean length of the Azure code trace": "Poisson, all of the mean length of azure_code_2023",
    "Poisson, all of the mean length of Mooncake's synthetic trace": "Poisson, all of the mean length of mooncake_synthetic",
    "Poisson, lengths of the Azure trace": "Poisson, lengths of azure_code_2023",
    "Poisson, lengths of the Mooncake trace": "Poisson, lengths of mooncake_synthetic",
    "arrivals and lengths of the Mooncake trace": "arrivals and lengths of mooncake_synthetic",
    "arrivals and lengths of the Azure trace": "arrivals and lengths of azure_code_2023",
}


def test_promise_against_simulation(warehouse):
    found = {row.pop("workload"): list(row.values()) for row in query(warehouse, "67")}
    for named, stream in STREAMS.items():
        quoted = [number(cell) for cell in cells(named)]
        assert found[stream] == pytest.approx(quoted, abs=0.0051 if max(quoted) < 2 else 0.51), named


def test_keeping_places_free_is_the_closer_promise(warehouse):
    """Why `iecon decide` counts them: on every stream of the simulation."""
    for row in query(warehouse, "67"):
        assert abs(row["chunked_with_free_places"]) < abs(row["chunked"]), row["workload"]


NAMES = {
    "overlap, measured on a small batch": "overlap_measured",
    "overlap, shared weight read": "overlap",
    "prefill pool on H100": "prefill_hardware",
    "speculative decoding": "draft_tokens",
    "goodput: the 90th percentile": "goodput_percentile",
    "places kept free (`place_queue`)": "place_queue",
    "rate matching of the prefill pool": "prefill_pool_efficiency",
    "experts touched (sparse models)": "experts_touched",
    "prefix cache": "prefix_hit_share",
    "tensor-parallel links": "tensor_parallel_communication",
    "expert-parallel links (sparse models)": "expert_parallel_communication",
    "rate matching of the decode pool": "decode_pool_efficiency",
    "achieved link share": "achieved_link_share",
    "whole replicas": "integer_pools",
}
TERMS = {
    "links inside a replica": "links",
    "replicas larger than the smallest": "spread",
    "fixed time per layer": "fixed_time",
    "rates reached, colocated and in pools": "rates_reached",
    "prefix cache, measured": "prefix_hit_share",
    "experts touched, measured": "experts_touched",
    "achieved link share, measured": "achieved_link_share",
    "alpha at the upper end of its interval": "fixed_time_high",
}


@pytest.mark.parametrize(("setting", "names"), [("plain", NAMES), ("measured", TERMS)])
def test_what_each_refinement_does(warehouse, setting, names):
    rows = {row["refinement"]: row for row in query(warehouse, "93") if row["setting"] == setting}
    turns = {name: row["turns_to_disaggregation"] + row["turns_from_it"] for name, row in rows.items()}
    assert {name for name, share in turns.items() if share >= 0.0155} == set(names.values())
    for named, name in names.items():
        row = next(row for row in re.findall(rf"^\| {re.escape(named)} \|(.*)\|$", PAGE, re.MULTILINE) if row.count("|") == 4)
        quoted = [number(cell.strip().removesuffix(" %").strip() + "%") for cell in row.split("|")[1:]]
        columns = ("chunked_change", "disaggregated_change", "turns_to_disaggregation", "turns_from_it")
        assert [rows[name][column] for column in columns] == pytest.approx(quoted, abs=0.0055), name


def test_published_points_against_the_closed_form(warehouse):
    row = next(row for row in query(warehouse, "46") if row["model"] == "opt-13b" and row["system"] == "DistServe")
    quoted = re.search(
        r"for OPT-13B they predict (\S+) GPU-hours split, (\S+) unchunked and (\S+) chunked; DistServe needed (\S+),",
        WORDS,
    )
    names = ("predicted_disaggregated", "predicted_unchunked", "predicted_chunked", "gpu_hours_per_mtok")
    assert quoted is not None
    assert [row[name] for name in names] == pytest.approx([float(text) for text in quoted.groups()], abs=0.0051)


def test_the_independent_tool(warehouse):
    found = dict(
        warehouse.sql("""
        SELECT metric, observed FROM marts.serving_validation WHERE "check" = 'independent_tool' AND predicted IS NULL
    """).fetchall()
    )
    assert f"**{found['winner_agreement'] * 100:.0f} of the 100" in WORDS
    assert f"rank correlation of **{found['rank_correlation']:.2f}**".replace("0.", ".") in WORDS
    odd = query(warehouse, "68")
    assert f"The {len(odd)} disagreements" in WORDS
    for row in odd:
        lengths, ttft, tpot = row["slice"].rsplit(", ", 2)
        tpot_ms = round(float(tpot.split()[1]) * 1e3)
        ttft_s = ttft.split()[1]
        assert f"{lengths}, {ttft_s} s, {tpot_ms} ms".replace(" 0.", " .") in WORDS
