"""The ledger: verdicts follow from numbers and flip with them, each claim has its recomputation, and history keeps changes."""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import assets
from assets.evidence.claims import changed, filled, judged, moved_verdicts
from economics.evidence.claims import RELATIONS, VERDICTS, margins, share_interval, verdicts
from pipelines.resources import resources
from schemas.base import empty, polars_schema
from schemas.evidence import claims as contract
from schemas.quarantine import Rejected
from schemas.registry import TABLES
from sources.evidence.claims import SOURCE, parse_claims
from sources.source import Seed, Snapshot, content_hash
from tests.refreshed import iecon
from warehouse.claim_queries import QUERIES, answers, tables_read
from warehouse.contract import apply_contract
from warehouse.resources import NOW_TAG
from warehouse.store import read_table, table_path, write_frame

NOW = datetime(2026, 12, 1, tzinfo=UTC)
NONE = float("nan")


def shipped() -> pl.DataFrame:
    (floor,) = SOURCE.floor
    assert isinstance(floor, Seed)
    body = floor.path.read_bytes()
    return parse_claims(Snapshot(SOURCE.name, body, content_hash(body), "seed", "file", NOW)).accepted


# --- verdicts


@pytest.mark.parametrize(
    ("relation", "published", "recomputed", "verdict", "margin"),
    [
        ("equals", (7.35, 7.45), (7.36, NONE, NONE), "reproduced", 0.01),
        ("equals", (7.35, 7.45), (4.6, 4.55, 4.65), "not_reproduced", -2.75),
        ("equals", (226.745, 226.755), (226.86, 225.9, 227.8), "reproduced", -0.105),  # rounding explains it
        ("equals", (7.35, 7.45), (7.5, 7.4, 7.6), "reproduced_in_part", -0.05),
        ("within", (3, 8), (5.0, 4.0, 6.0), "reproduced", 2.0),
        ("within", (3, 8), (2.2, 1.4, 4.8), "reproduced_in_part", -0.8),
        ("within", (3, 8), (1.5, 1.4, 2.9), "not_reproduced", -1.5),
        ("within", (3, 8), (5.0, 1.0, 9.0), "reproduced_in_part", 2.0),  # covering the range is not lying in it
        ("at_least", (0, NONE), (4.5, 0.4, 8.6), "reproduced", 4.5),
        ("at_least", (0, NONE), (8.7, -16.5, 33.9), "reproduced_in_part", 8.7),
        ("at_least", (0, NONE), (-1.0, NONE, NONE), "not_reproduced", -1.0),
        ("at_most", (NONE, 0.1), (0.9, 0.85, 0.95), "not_reproduced", -0.8),
        ("always", (NONE, NONE), (1.0, NONE, NONE), "reproduced", 0.0),
        ("always", (NONE, NONE), (0.85, NONE, NONE), "reproduced_in_part", -0.15),
        ("always", (NONE, NONE), (0.54, 0.06, 0.94), "reproduced_in_part", -0.46),  # a range over groups does not decide
        ("always", (NONE, NONE), (0.2, NONE, NONE), "not_reproduced", -0.8),  # it fails more often than it holds
        ("always", (NONE, NONE), (0.0, NONE, NONE), "not_reproduced", -1.0),
        ("never", (NONE, NONE), (0.0, NONE, NONE), "reproduced", 0.0),
        ("never", (NONE, NONE), (0.1, NONE, NONE), "reproduced_in_part", -0.1),
        ("never", (NONE, NONE), (0.7, NONE, NONE), "not_reproduced", -0.7),
        ("equals", (NONE, NONE), (NONE, NONE, NONE), "not_testable", NONE),
    ],
)
def test_verdict_is_what_the_numbers_say(relation, published, recomputed, verdict, margin):
    ends = {"published_low": published[0], "published_high": published[1]}
    value, low, high = recomputed
    assert verdicts(relation=relation, **ends, recomputed=value, interval_low=low, interval_high=high) == verdict
    assert margins(relation=relation, **ends, recomputed=value) == pytest.approx(margin, nan_ok=True)


@pytest.mark.parametrize(
    ("relation", "published", "recomputed", "verdict"),
    [
        ("equals", (9.5, 10.5), (8.45, 1.43, 50.0), "inconclusive"),  # seven points allow ten times a year, and five
        ("equals", (9.5, 10.5), (10.0, 9.6, 10.4), "reproduced"),
        ("equals", (9.5, 10.5), (6.0, 5.0, 7.0), "not_reproduced"),
        ("within", (5, 10), (8.45, 1.43, 50.0), "inconclusive"),
        ("at_least", (0, NONE), (8.7, -16.5, 33.9), "inconclusive"),
        ("at_least", (70, NONE), (45.85, 45.85, np.inf), "inconclusive"),  # the greatest over a part: the whole may have more
        ("at_least", (70, NONE), (112.6, 112.6, np.inf), "reproduced"),
        ("at_most", (NONE, 40), (45.85, 45.85, np.inf), "not_reproduced"),
        ("always", (NONE, NONE), (0.78, 0.66, 0.86), "reproduced_in_part"),
        ("always", (NONE, NONE), (0.38, 0.18, 0.64), "inconclusive"),  # 5 of 13
        ("always", (NONE, NONE), (0.2, 0.1, 0.3), "not_reproduced"),
        ("always", (NONE, NONE), (1.0, 0.44, 1.0), "inconclusive"),  # three devices of three
        ("always", (NONE, NONE), (1.0, 0.95, 1.0), "reproduced"),
        ("never", (NONE, NONE), (0.1, 0.03, 0.25), "reproduced_in_part"),
        ("never", (NONE, NONE), (0.0, 0.0, 0.05), "reproduced"),
    ],
)
def test_what_the_data_seen_cannot_decide_is_inconclusive(relation, published, recomputed, verdict):
    said = verdicts(
        relation=relation,
        published_low=published[0],
        published_high=published[1],
        recomputed=recomputed[0],
        interval_low=recomputed[1],
        interval_high=recomputed[2],
        is_sampled=True,
    )
    assert said == verdict


@given(
    value=st.floats(-1e3, 1e3),
    low=st.floats(-1e3, 1e3),
    width=st.floats(0, 1e3),
    half=st.floats(0, 1e3),
    wider=st.floats(1, 10),
    relation=st.sampled_from(["equals", "within", "at_least", "at_most"]),
)
def test_less_data_reproduces_and_refutes_no_more(value, low, width, half, wider, relation):
    def said(reach):
        return str(
            verdicts(
                relation=relation,
                published_low=low,
                published_high=low + width,
                recomputed=value,
                interval_low=value - reach,
                interval_high=value + reach,
                is_sampled=True,
            )
        )

    assert said(half * wider) in (said(half), "inconclusive")


@given(share=st.integers(0, 40), n=st.integers(1, 40), fewer=st.integers(1, 40), relation=st.sampled_from(["always", "never"]))
def test_fewer_points_of_the_same_share_decide_no_more(share, n, fewer, relation):
    def said(count):
        low, high = share_interval(share=min(share, n) / n, n=count)
        ends = {"interval_low": low, "interval_high": high}
        none = {"published_low": NONE, "published_high": NONE}
        return str(verdicts(relation=relation, recomputed=min(share, n) / n, **none, **ends, is_sampled=True))

    assert said(min(n, fewer)) in (said(n), "inconclusive")


@given(
    low=st.floats(-1e6, 1e6),
    width=st.floats(0, 1e6),
    half=st.floats(0, 1e6),
    shift=st.floats(-3e6, 3e6),
    relation=st.sampled_from(["equals", "within", "at_least", "at_most"]),
)
def test_only_a_range_that_reaches_the_claim_is_more_than_not_reproduced(low, width, half, shift, relation):
    value, high = low + shift, low + width
    verdict = verdicts(
        relation=relation,
        published_low=low,
        published_high=high,
        recomputed=value,
        interval_low=value - half,
        interval_high=value + half,
    )
    margin = margins(relation=relation, published_low=low, published_high=high, recomputed=value)
    if margin < -(half + 1e-6 * (1 + abs(value))):
        assert verdict == "not_reproduced"
    if verdict == "not_reproduced":
        assert margin < 0
    if margin > half + 1e-6 * (1 + abs(value)):
        assert verdict == "reproduced"


def test_claims_are_judged_together_and_alone_alike():
    shares = np.array([0.0, 0.5, 1.0, np.nan])
    together = verdicts(relation="always", published_low=np.nan, published_high=np.nan, recomputed=shares)
    alone = [verdicts(relation="always", published_low=np.nan, published_high=np.nan, recomputed=share) for share in shares]
    assert together.tolist() == [str(verdict) for verdict in alone]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"relation": "about", "published_low": 1, "published_high": 2, "recomputed": 1}, "unknown relation about"),
        ({"relation": "within", "published_low": 3, "published_high": 2, "recomputed": 1}, "above published_high"),
        ({"relation": "at_least", "published_low": NONE, "published_high": 2, "recomputed": 1}, "at_least the low"),
        ({"relation": "always", "published_low": NONE, "published_high": NONE, "recomputed": 1.2}, "share"),
        (
            {"relation": "at_most", "published_low": NONE, "published_high": 2, "recomputed": 1, "interval_low": 1.5},
            "hold its value",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        verdicts(**arguments)


def test_words_are_those_of_the_contract():
    assert RELATIONS == contract.RELATIONS
    assert VERDICTS == contract.VERDICTS


# --- claims and their recomputations


def test_every_claim_has_one_recomputation_or_a_missing_datum():
    claims = shipped()
    contract.Claim.validate(claims)
    recomputed = set(claims.filter(pl.col("missing_datum").is_null())["claim_id"])
    assert recomputed == set(QUERIES)


NAMES = re.compile(
    r"(?:19|20)\d\d"  # a year
    r"|\b[A-Za-z][\w./+-]*\d[\w./+-]*"  # a name such as H100, GPT-4, T5-XXL, power_law_2
    r"|\b(?:Figure|Table|section|equation|[vV]ersion|theorem) \d+(?:\.\d+)*"  # a place in a document
    r"|\barXiv \d{4}\.\d{5}"
)


def test_no_number_is_typed_into_a_note():
    for row in shipped().filter(pl.col("note").is_not_null()).to_dicts():
        typed = NAMES.sub("", re.sub(r"\{[^}]*\}", "", row["note"]))
        assert not re.search(r"\d", typed), f"{row['claim_id']}: {typed}"


@pytest.mark.parametrize(
    ("note", "typed"),
    [
        ("GPT-4 (the first) on an H100, Figure 12, since March 2023", False),
        ("it is 1.4 at the end", True),
        ("90 of 100 requests", True),
        ("in version 2, section 6.1", False),
    ],
)
def test_names_years_and_places_are_told_from_numbers(note: str, typed: bool):
    assert bool(re.search(r"\d", NAMES.sub("", note))) == typed


def test_note_is_filled_with_the_numbers_of_its_query():
    facts = '{"value": 4.6, "n": 5, "who": "vLLM", "gone": null}'
    assert filled("some", "{who}: {value:.2f} of {n}, {gone:.1f}", facts) == "vLLM: 4.60 of 5, unknown"
    assert filled("some", "No number.", None) == "No number."
    assert filled("some", None, None) is None
    with pytest.raises(ValueError, match=r"claim some: its note speaks of \{low\}, which its query does not return"):
        filled("some", "{low}", facts)


def test_what_a_query_returns_beside_its_answer_stands_in_the_note(refreshed: Path):
    notes = dict(shipped().select("claim_id", pl.col("note").fill_null("")).rows())
    for claim, facts in answers(refreshed / "tables").select("claim_id", "facts").rows():
        for name in set(json.loads(facts)) - {"value", "low", "high", "n"}:
            assert re.search(rf"\{{{name}[:}}]", notes[claim]), f"{claim}: {name} is in no note"


def test_derivations_count_nothing_and_extensions_are_ours(warehouse: duckdb.DuckDBPyConnection):
    rows = warehouse.execute("SELECT claim_id, basis::VARCHAR, status::VARCHAR, n FROM meta.claims").fetchall()
    assert all(n is None for _, basis, _, n in rows if basis == "derivation")
    status = {claim: said for claim, _, said, _ in rows}
    assert status["third_use_pays_for_the_verifier"] == status["early_exit_survives_batching"] == "ours"
    assert status["gpt_4_output_60"] == "printed"


def test_every_recomputation_says_what_it_counts_and_reads_tables():
    for claim, sql in QUERIES.items():
        assert sql.startswith("-- "), claim
    assert all(tables_read().values())


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 1 AS value FROM marts.no_such_table", "marts.no_such_table, which is no table"),
        ("SELECT FROM WHERE", "claim odd"),
        ("SELECT value FROM raw.test_time_figure", r"got \d+ of value"),
        ("SELECT count(*) AS rows FROM raw.test_time_figure", "one row with a value, got 1 of rows"),
        ("SELECT no_such_column AS value FROM raw.test_time_figure", r"claim odd: .*no_such_column"),
    ],
)
def test_bad_query_names_its_claim(refreshed: Path, sql: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        answers(refreshed / "tables", {"odd": sql})


def test_table_that_was_never_built_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"marts\.market_split has not been built yet"):
        answers(tmp_path, {"odd": "SELECT count(*) AS value FROM marts.market_split"})


def test_query_without_an_answer_leaves_the_claim_untested_and_says_where_it_looked(refreshed: Path):
    claim = shipped().filter(pl.col("missing_datum").is_null()).head(1)
    name = claim["claim_id"][0]
    nothing = answers(refreshed / "tables", {name: "SELECT max(value) AS value FROM raw.test_time_figure WHERE false"})
    (row,) = judged(claim, nothing).to_dicts()
    assert row["verdict"] == "not_testable"
    assert row["missing_datum"] == "no row answers the query in raw.test_time_figure"


def test_claim_with_both_a_query_and_a_missing_datum_is_refused(refreshed: Path):
    untested = shipped().filter(pl.col("missing_datum").is_not_null()).head(1)
    answered = answers(refreshed / "tables", {untested["claim_id"][0]: "SELECT 1 AS value"})
    with pytest.raises(ValueError, match="either a query or a missing datum"):
        judged(untested, answered)
    with pytest.raises(ValueError, match="either a query or a missing datum"):
        judged(untested.with_columns(missing_datum=None), answered.clear())


@pytest.mark.parametrize(
    "changes",
    [
        {"relation": "at_least", "published_low": None},
        {"relation": "within", "published_low": 9.0, "published_high": 1.0},
        {"relation": "roughly"},
        {"published_value": -1e9},
    ],
)
def test_claim_that_cannot_be_judged_goes_to_quarantine_and_the_others_go_on(changes):
    rows = (
        shipped()
        .filter(pl.col("missing_datum").is_null())
        .head(3)
        .with_columns(
            relation=pl.lit("within"), published_value=pl.lit(None, pl.Float64), published_low=1.0, published_high=2.0
        )
    )
    bad = rows.head(1).with_columns(pl.lit(value).cast(rows.schema[name]).alias(name) for name, value in changes.items())
    kept, rejected, faults = apply_contract(contract.Claim, pl.concat([bad, rows.tail(2)]), empty(Rejected))
    assert faults.is_empty()
    assert kept["claim_id"].to_list() == rows["claim_id"].to_list()[1:]
    assert set(rejected["row_key"]) == {rows["claim_id"][0]}


# --- the ledger of a refresh


def test_ledger_says_what_its_queries_say_on_the_published_warehouse(warehouse: duckdb.DuckDBPyConnection):
    rows = warehouse.execute(
        "SELECT claim_id, recomputation, recomputed_value, interval_low, interval_high FROM meta.claims "
        "WHERE recomputation IS NOT NULL"
    ).fetchall()
    assert len(rows) == len(QUERIES)
    for claim, sql, *expected in rows:
        found = warehouse.execute(sql)
        said = dict(zip([column[0] for column in found.description], found.fetchone(), strict=True))
        # Of a share of a sample the ledger computes the interval.
        told = 1 if said.get("low") is None else 3
        got = [said.get(name) for name in ("value", "low", "high")[:told]]
        known = [None if value is None else float(value) for value in got]
        assert known == [None if value is None else pytest.approx(value) for value in expected[:told]], claim


def test_verdicts_of_known_claims(warehouse: duckdb.DuckDBPyConnection):
    said = dict(warehouse.execute("SELECT claim_id, verdict::VARCHAR FROM meta.claims").fetchall())
    assert said["gpt_4_output_60"] == "reproduced"
    assert said["accept_point_worth_3_to_8x"] == "reproduced_in_part"
    assert said["published_condition_can_hold_for_samples"] == "reproduced"
    assert said["arc_agi_2_cost_spread_70x"] == "reproduced"
    assert said["premium_positive_out_of_sample"] == "inconclusive"
    assert said["threshold_finds_the_market_split"] == "not_testable"
    assert said["adaptive_self_consistency_pays"] == "not_testable"
    assert set(said.values()) == set(VERDICTS)


FLIPS = [
    (
        "distserve_over_state_of_the_art",
        "marts.published_common_frame",
        pl.col("ratio_to_baseline") * 2,
        "not_reproduced",
        "reproduced",
    ),
    (
        "published_points_all_positive",
        "marts.routing_premium",
        pl.lit("positive").alias("sign"),
        "reproduced_in_part",
        "reproduced",
    ),
    (
        "accept_point_worth_3_to_8x",
        "marts.verifier_value",
        (pl.col("accept_point_worth") * 0.1),
        "reproduced_in_part",
        "not_reproduced",
    ),
    (
        "feedback_retries_lower_cost",
        "marts.inference_frontier",
        pl.lit(False).alias("more_samples_lower_cost"),
        "reproduced_in_part",
        "not_reproduced",
    ),
    ("gpt_4_output_60", "core.llm_price", pl.col("usd_per_mtok") * 1.1, "reproduced", "not_reproduced"),
    (
        "published_condition_can_hold_for_samples",
        "marts.inference_frontier",
        pl.col("eta_samples") * 0.1,
        "reproduced",
        "not_reproduced",
    ),
    (
        "mooncake_cache_ratio",
        "meta.published_rederivation",
        pl.col("recomputed_value", "recomputed_low", "recomputed_high") + 3.4,
        "not_reproduced",
        "reproduced",
    ),
    (
        "price_fall_in_18_months",
        "marts.published_price_trend",
        pl.col("by_dates_per_year", "by_dates_low", "by_dates_high") * 2.3,
        "not_reproduced",
        "reproduced",
    ),
    ("awq_three_times", "marts.lever_anchor", pl.col("published_gain") * 1.2, "reproduced_in_part", "reproduced"),
    (
        "third_use_pays_for_the_verifier",
        "marts.verifier_curriculum",
        pl.col("cost_factor") * 2,
        "reproduced",
        "not_reproduced",
    ),
    ("r1_cost_294k", "raw.test_time_figure", pl.col("metric").str.replace("gpu_hours", "days"), "reproduced", "not_testable"),
]


@pytest.mark.parametrize(("claim", "table", "change", "before", "after"), FLIPS, ids=[row[0] for row in FLIPS])
def test_verdict_flips_with_its_inputs(refreshed: Path, tmp_path: Path, claim, table, change, before, after):
    sql = {claim: QUERIES[claim]}
    row = shipped().filter(claim_id=claim)
    assert judged(row, answers(refreshed / "tables", sql))["verdict"].to_list() == [before]
    shutil.copytree(refreshed / "tables", tmp_path, dirs_exist_ok=True, copy_function=lambda a, b: Path(b).symlink_to(a))
    schema = TABLES[table.split(".")[1]]
    frame = read_table(refreshed / "tables", schema)
    assert frame is not None
    write_frame(table_path(tmp_path, schema), frame.with_columns(change))
    assert judged(row, answers(tmp_path, sql))["verdict"].to_list() == [after]


# --- history


def states(at: datetime, **values: tuple[float | None, str]) -> pl.DataFrame:
    rows = [
        {"claim_id": name, "refreshed_at": at, "published_low": 1.0, "recomputed_value": value, "verdict": verdict}
        for name, (value, verdict) in values.items()
    ]
    return pl.DataFrame(rows, schema=polars_schema(contract.ClaimsHistory)).drop("verdict_before")


def test_history_grows_only_by_what_changed():
    ledger = states(NOW, steady=(2.0, "reproduced"), moving=(2.0, "reproduced"), untested=(None, "not_testable"))
    history = changed(ledger, empty(contract.ClaimsHistory))
    assert history.height == 3
    later = states(
        NOW + timedelta(days=1),
        steady=(2.0 + 1e-12, "reproduced"),
        moving=(0.5, "not_reproduced"),
        untested=(None, "not_testable"),
    )
    new = changed(later, history)
    assert new.select("claim_id", "verdict_before", "verdict").rows() == [("moving", "reproduced", "not_reproduced")]
    grown = pl.concat([history, new])
    assert changed(later, grown).is_empty()
    assert moved_verdicts(grown, NOW + timedelta(days=1)) == ["moving: reproduced is now not_reproduced"]
    assert moved_verdicts(grown, NOW) == []


def test_a_new_value_with_the_same_verdict_is_kept_but_no_cause_for_warning():
    history = changed(states(NOW, one=(2.0, "reproduced")), empty(contract.ClaimsHistory))
    new = changed(states(NOW + timedelta(days=1), one=(3.0, "reproduced")), history)
    assert new.height == 1
    assert moved_verdicts(pl.concat([history, new]), NOW + timedelta(days=1)) == []


def test_refresh_warns_of_a_changed_verdict_and_the_next_one_is_quiet(refreshed: Path, tmp_path: Path):
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    schema = TABLES["published_common_frame"]
    frame = read_table(folder / "tables", schema)
    assert frame is not None
    write_frame(table_path(folder / "tables", schema), frame.with_columns(pl.col("ratio_to_baseline") * 2))
    before = read_table(folder / "tables", contract.ClaimsHistory)
    assert before is not None
    later = before["refreshed_at"].max() + timedelta(hours=1)  # type: ignore[operator]
    warned, after = judge_again(folder, later)
    assert warned == (False, "distserve_over_state_of_the_art: not_reproduced is now reproduced")
    assert after.height == before.height + 2
    quiet, same = judge_again(folder, later + timedelta(days=1))
    assert quiet == (True, None)
    assert same.equals(after)


def judge_again(folder: Path, now: datetime) -> tuple[tuple[bool, str | None], pl.DataFrame]:
    selection = dg.AssetSelection.assets("meta/claims", "meta/claims_history")
    job = dg.define_asset_job("judge", selection=selection | selection.checks())
    definitions = dg.Definitions(
        assets=dg.load_assets_from_package_module(assets),
        asset_checks=dg.load_asset_checks_from_package_module(assets),
        jobs=[job],
        resources=resources(folder, offline=True),
    )
    result = definitions.resolve_job_def("judge").execute_in_process(tags={NOW_TAG: now.isoformat()})
    (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == "verdicts_stand"]
    assert check.severity == dg.AssetCheckSeverity.WARN
    history = read_table(folder / "tables", contract.ClaimsHistory)
    assert history is not None
    return (check.passed, check.description), history


# --- the command


def test_command_lists_selects_and_explains(refreshed: Path):
    listed = iecon(refreshed, "claims", "--document", "distserve", "--verdict", "not_reproduced")
    assert listed.returncode == 0
    assert "distserve_over_state_of_the_art" in listed.stdout
    assert "distserve_baseline_meets_its_target" not in listed.stdout
    assert "splitwise" not in listed.stdout
    rows = json.loads(iecon(refreshed, "claims", "--verdict", "not_testable", "--json").stdout)
    assert {row["verdict"] for row in rows} == {"not_testable"}
    assert all(row["missing_datum"] for row in rows)
    one = iecon(refreshed, "claims", "distserve_over_state_of_the_art").stdout
    assert "FROM marts.published_common_frame" in one
    assert ">= 7.4" in one


@pytest.mark.parametrize("arguments", [["no_such_claim"], ["--document", "no_such_document"]])
def test_command_says_when_there_is_no_such_claim(refreshed: Path, arguments: list[str]):
    done = iecon(refreshed, "claims", *arguments)
    assert done.returncode == 2
    assert "`iecon claims` lists all" in done.stderr
