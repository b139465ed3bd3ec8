"""Desired state held against what is there: what to change, in which order. Pure."""
