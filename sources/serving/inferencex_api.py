"""The public API of InferenceX: the latest runs of each model, one document per model.

Models are asked for under their display names; a document can hold several point releases of one model. The names are
those of the site's own list (SemiAnalysisAI/InferenceX-app, packages/constants/src/models.ts); a public log of 31 July 2026
has an answer to each of them. A name that the site does not know is answered with 400. Rows are read by
`sources.serving.benchmark_outputs.inferencex`, where their traps are.
"""

from datetime import timedelta

from schemas.quarantine import Parsed
from sources.serving.benchmark_outputs import detect, inferencex, parse
from sources.source import Http, Snapshot, Source, refuses_in_words

ADDRESS = "https://inferencex.semianalysis.com/api/v1/benchmarks?model="
MODELS = {
    "deepseek_r1": "DeepSeek-R1-0528",
    "deepseek_v4": "DeepSeek-V4-Pro",
    "gpt_oss_120b": "gpt-oss-120b",
    "llama_70b": "Llama-3.3-70B-Instruct-FP8",
    "qwen35": "Qwen-3.5-397B-A17B",
    "kimi_k25": "Kimi-K2.5",
    "kimi_k3": "Kimi-K3",
    "minimax_m25": "MiniMax-M2.5",
    "minimax_m3": "MiniMax-M3",
    "glm5": "GLM-5",
    "glm52": "GLM-5.2",
}
"""Display name of each model by the name of its document."""

SOURCES = tuple(
    Source(
        name=f"inferencex_{name}",
        title=f"InferenceX benchmark runs of {model}",
        homepage="https://inferencex.semianalysis.com",
        licence="public API of InferenceX (its app is GPL-3.0); figures are facts",
        live=(Http(ADDRESS + model),),
        fresh_for=timedelta(days=7),
    )
    for name, model in MODELS.items()
)


@refuses_in_words
def parse_runs(snapshot: Snapshot) -> Parsed:
    """Operating points of one document and its refused runs. Raises ValueError for a document of another kind."""
    if detect(snapshot.body) != inferencex.NAME:
        raise ValueError(f"{snapshot.source}: not a list of InferenceX runs")
    return parse(snapshot.body, file_name=snapshot.source, meta=None)
