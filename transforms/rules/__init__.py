"""Boilerplate and wire rules as data, one TOML file a language."""
