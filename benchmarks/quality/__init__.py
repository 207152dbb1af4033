"""Quality of search algorithms on tasks without training, driven by a virtual clock."""
