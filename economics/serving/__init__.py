"""What serving a token costs, and how long a step takes."""
