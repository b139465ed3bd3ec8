"""The demo: a repository, a hub and three clusters in one process, and a story told with them."""
