"""Jobs in, results out: networks (`population`) or any function (`function`)."""
