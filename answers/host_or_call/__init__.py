"""Whether to host a model or to call it, from which volume on, and what a mix of both saves."""
