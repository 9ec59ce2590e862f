"""The report's figures: each module draws one, from frames of the warehouse to an exhibit; nothing here reads or writes."""

FOLDER = "report"
"""Folder of the report inside the data folder."""
PAGE = "index.html"
"""The page inside that folder; its pictures are in `figures/` beside it."""
