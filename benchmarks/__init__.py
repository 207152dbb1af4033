"""Measurements of the engine and the searches, beside other ways to do the same. ``python -m benchmarks --help``.

Every contender's answer is checked before it is timed. Not part of the installed package: run it from a checkout.
"""
