"""Which configurations are tried and which trials are promoted; knows nothing of networks."""
