"""Dagster's UI as `iecon ui` serves it: behind a guard against other web pages, with its code server and daemon."""
