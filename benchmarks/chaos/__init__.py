"""The chaos campaign: real processes, seeded faults, and a checker of SQL."""
