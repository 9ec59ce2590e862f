"""What every history of prices says of its rows: how far each is believed, and since when."""

import polars as pl

from schemas.base import Table, Timestamp, column

ROW_STATUSES = ("believed", "held", "dismissed", "reverted", "corrected")
GUARDS = ("jump_20x", "mass_disappearance")


class Historic(Table):
    """Columns that a history adds to what a source says (`warehouse.history`)."""

    status: str = column(
        "believed; held: a guard waits for a second sighting, the row lasts no day; dismissed: held and never confirmed; "
        "reverted: came and went within 14 days; corrected: a unit slip, replaced within 7 days or taken back within 14",
        isin=ROW_STATUSES,
    )
    held_by: str = column("guard that held the row back at first", isin=GUARDS, nullable=True)
    confirmed_on: pl.Date = column("day a held row was confirmed; it counts from the day it was first seen", nullable=True)
    confirmed_by: str = column("source that confirmed it: its own again, or another within 5 %", nullable=True)
    observed_at: Timestamp = column("when this row was first seen by a refresh")
    missing_since: pl.Date = column(
        "day the source first left the price out; it ends then if a later document leaves it out too", nullable=True
    )
    end_confirmed_on: pl.Date = column("day a later document confirmed that the source left the price out", nullable=True)
    withdrawn_on: pl.Date = column("day the source took back the price; NULL while it stands", nullable=True)
