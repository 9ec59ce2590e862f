"""Numbers: roots, Pareto frontiers, statistics, draws and least squares, for every subject."""
