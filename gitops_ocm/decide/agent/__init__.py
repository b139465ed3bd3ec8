"""The klusterlet's judgements: what it reports of its cluster, what it applies there and removes."""
