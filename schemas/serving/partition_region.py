"""Contract of the regions of work in which one design or another is cheapest."""

from schemas.base import Table, column
from schemas.serving.surface import share

REGIONS = ("prefill_heavy_long_context", "balanced", "decode_heavy_short_context")
FORMS = ("plain", "measured", "measured_pairs")
KEY = ["region", "form", "gpu", "model"]


def _part(what: str) -> float:
    share: float = column(what, nullable=True, ge=0, le=1)
    return share


class PartitionRegion(Table):
    """Three regions of work: how often each design is cheapest, by the plain forms, on fitted step times, and as measured."""

    region: str = column("shape of the work, see the lengths", isin=REGIONS)
    form: str = column(
        "plain and measured: as in partition_summary.setting; measured_pairs: systems that were measured colocated and "
        "disaggregated, each bound on TPOT a cell, see pool_comparison",
        isin=FORMS,
    )
    gpu: str = column("canonical GPU")
    model: str = column("model whose shape is served; of measured pairs the architecture")
    input_tokens: float = column("prompt", unit="tokens", gt=0)
    output_tokens: float = column("answer", unit="tokens", gt=0)
    cells: int = column(
        "bounds, rates and links asked; of measured pairs the bounds on TPOT that both meet", unit="cells", ge=1
    )
    disaggregated_share: float = share("cells that disaggregation wins")
    chunked_share: float = share("cells that chunked colocation wins; of measured pairs any colocated system")
    unchunked_share: float = _part("cells that unchunked colocation wins")
    infeasible_share: float = _part("cells in which no design meets the contract")
    isolated_share: float = _part("cells with a winner that no neighbour shares")
    boundary_share: float = _part("neighbouring pairs with different winners, over all pairs")

    class Config:
        name = "marts.partition_region"
        unique = KEY
