"""Every publisher, by the name of the asset that fetches it. A publisher with one document per cloud has many sources."""

from schemas.prices.price_sources import SEEDED_ASSET
from sources.evidence import claims, published_figures
from sources.prices import (
    azure_retail,
    capability_seed,
    epoch,
    gpu_markets,
    gpu_rent_seed,
    gpuhunt,
    llm_sources,
    market_seeds,
    price_trends,
    rent_index,
    router_live,
    skypilot,
)
from sources.prices import history_seed as price_history_seed
from sources.routing import figures as routing_figures
from sources.serving import inferencex_api, latency_figures, mlperf_results, model_configs, published_runs
from sources.serving import measured_steps as step_times
from sources.serving import references as serving_references
from sources.source import Source
from sources.test_time import aider_polyglot, arc_prize
from sources.test_time import figures as test_time_figures

CATALOGUE: dict[str, tuple[Source, ...]] = {
    **llm_sources.SOURCES,
    SEEDED_ASSET: (price_history_seed.SOURCE,),
    "azure_retail": (azure_retail.SOURCE,),
    "gpuhunt": gpuhunt.SOURCES,
    "skypilot": skypilot.SOURCES,
    "gpu_rent_figures": (gpu_rent_seed.SOURCE,),
    "runpod_days": (market_seeds.RUNPOD,),
    "runpod": (gpu_markets.RUNPOD,),
    "vast_days": (market_seeds.VAST,),
    "vast": gpu_markets.VAST_SOURCES,
    "ornn_days": (market_seeds.RENT_INDEX,),
    "ornn": rent_index.SOURCES,
    "router_use_figures": (market_seeds.USE,),
    "router_rankings": (router_live.USE,),
    "router_price_figures": (market_seeds.PAID,),
    "router_effective_prices": router_live.PAID,
    "router_endpoint_figures": (market_seeds.ENDPOINTS,),
    "router_endpoints": router_live.ENDPOINTS,
    "epoch": (epoch.SOURCE,),
    "inferencex_api": inferencex_api.SOURCES,
    "mlperf_results": mlperf_results.SOURCES,
    "capability_figures": (capability_seed.SOURCE,),
    "published_runs": published_runs.SOURCES,
    "model_configurations": (model_configs.SOURCE,),
    "published_documents": published_figures.SOURCES,
    "latency_figures": (latency_figures.SOURCE,),
    "step_times": step_times.SOURCES,
    "serving_references": serving_references.SOURCES,
    "aider_polyglot": (aider_polyglot.SOURCE,),
    "arc_prize": arc_prize.SOURCES,
    "test_time_documents": test_time_figures.SOURCES,
    "pythia_surface": (test_time_figures.SURFACE,),
    "routing_operating_points": (routing_figures.POINTS,),
    "routing_replay_curves": (routing_figures.CURVES,),
    "price_trends": (price_trends.FIGURES,),
    "price_trend_points": (price_trends.POINTS,),
    "published_claims": (claims.SOURCE,),
}
