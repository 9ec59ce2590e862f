"""What a serving engine would do: TTFT, TPOT, output rate and cost of runs described in a table, with intervals."""
