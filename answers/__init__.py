"""A person's question over the published warehouse."""
