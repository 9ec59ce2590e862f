"""How capable models are: Epoch's index and benchmarks, indices at a router, dated figures from documents, and their chain."""

import polars as pl

from assets.documents import parse_all, source_asset
from assets.prices.scale_link import linked, links_onto_eci
from schemas.prices import capability as contract
from schemas.quarantine import Parsed
from sources.prices import capability_seed as seeded
from sources.prices import epoch as epoch_data
from sources.prices.openrouter import parse_indices
from sources.source import Snapshot
from warehouse.table import table

GROUP = "capability"

epoch = source_asset("epoch", accept=epoch_data.parse_eci, group=GROUP)
capability_figures = source_asset("capability_figures", accept=seeded.parse_scores, group=GROUP)


@table(schema=contract.EpochEci, group=GROUP)
def epoch_eci(epoch: list[Snapshot]) -> Parsed:
    """The capability index as Epoch publishes it."""
    return parse_all(epoch, epoch_data.parse_eci, contract.EpochEci)


@table(schema=contract.EpochBenchmark, group=GROUP, may_be_empty=True)
def epoch_benchmark(epoch: list[Snapshot]) -> Parsed:
    """Benchmark scores as Epoch publishes them; none where only the seeded index is at hand."""
    return parse_all(epoch, epoch_data.parse_benchmarks, contract.EpochBenchmark)


@table(schema=contract.RouterIndex, group=GROUP, may_be_empty=True)
def router_index(openrouter: list[Snapshot]) -> Parsed:
    """Three indices of Artificial Analysis, as a router's models endpoint carries them."""
    return parse_all(openrouter, parse_indices, contract.RouterIndex)


@table(schema=contract.CapabilitySeed, group=GROUP)
def capability_seed(capability_figures: list[Snapshot]) -> Parsed:
    """Dated figures transcribed with their citation."""
    return parse_all(capability_figures, seeded.parse_scores, contract.CapabilitySeed)


@table(schema=contract.CapabilityLink, group=GROUP)
def capability_link(
    epoch_eci: pl.DataFrame,
    epoch_benchmark: pl.DataFrame,
    router_index: pl.DataFrame,
    capability_seed: pl.DataFrame,
    model: pl.DataFrame,
) -> pl.DataFrame:
    """Every scale that rates enough models of Epoch's index, with what its link missed on models it had not seen."""
    return links_onto_eci(seeded.by_model(epoch_eci, epoch_benchmark, router_index, capability_seed), model)


@table(schema=contract.Capability, group=GROUP)
def capability(
    epoch_eci: pl.DataFrame,
    epoch_benchmark: pl.DataFrame,
    router_index: pl.DataFrame,
    capability_seed: pl.DataFrame,
    capability_link: pl.DataFrame,
) -> pl.DataFrame:
    """Every figure under its canonical model; models that are not mapped are left out (they stay in the raw tables)."""
    figures = seeded.by_model(epoch_eci, epoch_benchmark, router_index, capability_seed)
    return pl.concat([figures, linked(figures, capability_link)]).sort("scale", "model", "as_of", "source", "source_model")
