"""Scripts that train the embedded entity model and build its table of names."""
