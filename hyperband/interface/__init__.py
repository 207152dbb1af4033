"""What users call: `search`, `minimize`, and what they return."""
