"""Cassettes: YAML to interactions, and the library that finds them by key."""
