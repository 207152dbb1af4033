"""The tables and figures of README.md and RESULTS.md, written from the JSON in ``benchmarks/results``."""
