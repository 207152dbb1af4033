"""What the benchmarks share: paths, the description of the machine, timing, records on disk, charts."""
