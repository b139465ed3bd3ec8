"""Process basics for the I/O half: clock, supervised tasks, logging, metrics, redaction."""
