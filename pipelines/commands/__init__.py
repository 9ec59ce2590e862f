"""The commands of `iecon`, one module each: options, the question to `answers`, and how it is shown.

Heavy imports stand inside the commands, so that a query does not wait for the orchestrator.
"""
