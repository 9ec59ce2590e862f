"""How bytes come in: over HTTP, from package registries, page by page; and where they are kept."""
