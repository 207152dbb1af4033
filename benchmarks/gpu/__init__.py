"""Backend "cuda": epochs and whole searches beside PyTorch and JAX, and the check of a machine with a GPU."""
