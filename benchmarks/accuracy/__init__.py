"""How well predictions of real tables are after a given time, beside what users would otherwise run."""
