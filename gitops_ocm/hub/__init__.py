"""The hub as processes: settings, the daemon, and the repository a fleet starts from."""
