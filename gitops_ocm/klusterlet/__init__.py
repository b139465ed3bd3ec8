"""The agent of one managed cluster, as a process."""
