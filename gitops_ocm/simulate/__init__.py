"""The controller table run in memory, under a virtual clock: previews, and tests of decisions."""
