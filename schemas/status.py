"""How sure a transcribed figure is: the statuses that every subject shares."""

STATUSES = ("printed", "quoted", "digitised", "derived", "recalled")
STATUS_MEANING = (
    "printed: in the document itself; quoted: as a third party quotes or copies it; digitised: read off a figure; "
    "derived: computed from printed figures or released data; recalled: general knowledge, of which no "
    "mart is made"
)
BELIEVED = STATUSES[:-1]
"""Statuses of what may be used: the rows of core.cited_figure, the only ones a mart is made of."""
