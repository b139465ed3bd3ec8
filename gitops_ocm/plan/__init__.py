"""Desired against live: changes, prunes, waves. Pure."""
