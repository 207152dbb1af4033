"""Jobs in, results out: networks (`networks`) or any function (`functions`, called by `worker_pools`)."""
