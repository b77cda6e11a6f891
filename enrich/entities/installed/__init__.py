"""Recognisers whose library and model the operator has installed; none is ours."""
