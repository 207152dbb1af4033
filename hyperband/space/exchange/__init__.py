"""Search spaces of other libraries."""
