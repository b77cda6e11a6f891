"""Scripts that build the word statistics of the story stage."""
