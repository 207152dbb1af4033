"""Many networks trained at once; knows nothing of searches."""
