"""Deployable processes and the operator's surfaces."""
