"""Jobs on networks that train in one engine."""
