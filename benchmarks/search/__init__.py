"""Whole searches that train networks: how long they take, and how good the networks are that they find."""
