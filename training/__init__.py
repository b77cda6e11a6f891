"""Scripts that build the data tables which the product ships."""
