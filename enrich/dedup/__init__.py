"""Copies: fingerprints, comparison and settlement, all pure."""
