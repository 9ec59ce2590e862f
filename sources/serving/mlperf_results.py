"""Published results of MLPerf Inference: the `summary_results.json` of each round, as its repository holds it.

Results are reviewed by MLCommons and its members. The table states throughput under a contract and no latency itself. Rows
are read by `sources.serving.benchmark_outputs.mlperf`, where their traps are. A round never changes after its publication, but
for corrections.
"""

from datetime import timedelta

from schemas.quarantine import Parsed
from sources.serving.benchmark_outputs import detect, mlperf, parse
from sources.source import Http, Snapshot, Source, refuses_in_words

ROUNDS = ("v4.1", "v5.1")
"""Rounds whose repository is known to hold the table at its root."""

SOURCES = tuple(
    Source(
        name=f"mlperf_{round_.replace('.', '_')}",
        title=f"MLPerf Inference {round_} results",
        homepage=f"https://github.com/mlcommons/inference_results_{round_}",
        licence="MLPerf results usage rules; figures are facts",
        live=(Http(f"https://raw.githubusercontent.com/mlcommons/inference_results_{round_}/main/summary_results.json"),),
        fresh_for=timedelta(days=90),
    )
    for round_ in ROUNDS
)


@refuses_in_words
def parse_results(snapshot: Snapshot) -> Parsed:
    """Operating points of one round and its refused results. Raises ValueError for a document of another kind."""
    if detect(snapshot.body) != mlperf.NAME:
        raise ValueError(f"{snapshot.source}: not a table of MLPerf results")
    return parse(snapshot.body, file_name=snapshot.source, meta=None)
