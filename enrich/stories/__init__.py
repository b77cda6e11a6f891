"""Stories: features and assignment, all pure."""
