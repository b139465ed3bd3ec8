"""What is wrong with a fleet, and why: from what was seen to causes. See `diagnose`."""
