"""Feeds, pages and files become clean articles."""
