"""`iecon mcp`: the answers for an assistant, over the Model Context Protocol."""

from pipelines.console import warehouse


def mcp() -> None:
    """Answer an assistant over the Model Context Protocol on standard input and output: read-only SQL, prices on a day,
    decide, claims, where a number comes from. Started by the assistant; the name of the command and `mcp` is all it needs.
    """
    from answers.assistant import assistant  # noqa: PLC0415

    assistant(warehouse).run("stdio")
