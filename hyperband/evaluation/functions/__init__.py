"""Jobs on a function of the user."""
