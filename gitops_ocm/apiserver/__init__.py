"""The embedded Kubernetes-style API server: a store with API semantics, and an HTTPS front."""
