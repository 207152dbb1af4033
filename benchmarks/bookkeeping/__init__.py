"""What a search costs besides evaluations: rungs of a million trials, and drawing configurations."""
