"""Ask and tell: one run of an algorithm on a space."""
