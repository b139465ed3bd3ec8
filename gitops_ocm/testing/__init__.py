"""Clusters to test against, ours to use and our users': in memory, embedded, and a real control plane."""
