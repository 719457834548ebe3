"""Runners, command line, store and report; `build.py` is read first."""
