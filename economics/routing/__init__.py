"""When routing pays."""
