"""What a running server costs and how near its limits it is, from the metrics it publishes."""
