"""The client side of a Kubernetes API: requests out, objects and watch events in."""
