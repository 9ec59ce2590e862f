"""Where the next dollar of a budget goes."""
