"""An article gains its language, its mentions, its fingerprint and its features."""
