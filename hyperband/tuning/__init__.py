"""Sampling and promotion: which configurations are evaluated, and which trials continue. No networks here."""
