"""The figures of the report in the order a reader meets them."""

from figures import (
    break_even_slices,
    cost_per_correct,
    gpu_rents_by_day,
    ledger,
    levers,
    market_volume,
    partition_map,
    price_frontier,
    price_index,
    price_paid,
    routing_premium,
    serving_frontier,
)
from figures import inference_frontier as inference_threshold
from figures.exhibit import Subject

PRICES = ("genai_prices", "litellm", "openrouter", "models_dev", "price_history")
RENTS = ("azure_retail", "gpuhunt", "skypilot", "gpu_rent_figures")
ROUTER = ("router_use_figures", "router_price_figures", "router_endpoint_figures")
SHAPES = ("published_hardware", "published_model_shape")
MEASURED = ("aider_polyglot", "test_time_documents")

SUBJECTS = (
    Subject(
        name="ledger",
        title="The claims ledger",
        tables=("claims",),
        sources=("published_claims",),
        note="claims.md",
        draw=ledger.draw,
    ),
    Subject(
        name="serving_frontier",
        title="The serving frontier",
        tables=("serving_frontier",),
        sources=(*RENTS, "published_documents", "inferencex_api", "mlperf_results"),
        note="serving.md",
        draw=serving_frontier.draw,
    ),
    Subject(
        name="partition_map",
        title="Which serving design is cheapest",
        tables=("partition_summary", "break_even_surface"),
        sources=RENTS + SHAPES,
        note="serving.md",
        draw=partition_map.draw,
    ),
    Subject(
        name="break_even_slices",
        title="Where disaggregation starts to pay",
        tables=("break_even_surface",),
        sources=RENTS + SHAPES,
        note="serving.md",
        draw=break_even_slices.draw,
    ),
    Subject(
        name="price_frontier",
        title="Price and capability",
        tables=("price_frontier", "price_frontier_history"),
        sources=(*PRICES, "epoch", "capability_figures"),
        note="price_frontier.md",
        draw=price_frontier.draw,
    ),
    Subject(
        name="price_index",
        title="How fast a fixed quality gets cheaper",
        tables=("price_index", "price_slope", "published_price_trend"),
        sources=(*PRICES, "epoch", "capability_figures", "price_trends", "aider_polyglot"),
        note="price_compression.md",
        draw=price_index.draw,
    ),
    Subject(
        name="market_volume",
        title="Where tokens and dollars go",
        tables=("market_volume_by_tier", "market_volume"),
        sources=(*ROUTER, *PRICES),
        note="market.md",
        draw=market_volume.draw,
    ),
    Subject(
        name="price_paid",
        title="Price paid against list price",
        tables=("price_paid",),
        sources=("router_price_figures", "router_endpoint_figures"),
        note="market.md",
        draw=price_paid.draw,
    ),
    Subject(
        name="gpu_rents_by_day",
        title="What a GPU-hour cost on each day",
        tables=("gpu_rent_daily", "hardware_factor_by_day"),
        sources=("ornn_days", "runpod_days", "vast_days"),
        note="market.md",
        draw=gpu_rents_by_day.draw,
    ),
    Subject(
        name="cost_per_correct",
        title="What a correct answer costs",
        tables=("cost_per_correct_frontier", "cost_per_correct"),
        sources=MEASURED,
        note="cost_correct.md",
        draw=cost_per_correct.draw,
    ),
    Subject(
        name="inference_threshold",
        title="Training or inference: where the next dollar goes",
        tables=("inference_frontier",),
        sources=(*MEASURED, "pythia_surface", *PRICES),
        note="cost_correct.md",
        draw=inference_threshold.draw,
    ),
    Subject(
        name="routing_premium",
        title="What routing saves, and how safely",
        tables=("routing_premium",),
        sources=("routing_operating_points",),
        note="routing.md",
        draw=routing_premium.draw,
    ),
    Subject(
        name="levers",
        title="What levers do to the cost of a token",
        tables=("lever_effects",),
        sources=(*RENTS, *SHAPES, "published_documents", "routing_operating_points"),
        note="levers.md",
        draw=levers.draw,
    ),
)
