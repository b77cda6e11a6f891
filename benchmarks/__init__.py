"""What is measured, by command and never in a timed test."""
