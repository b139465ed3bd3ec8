"""gitops-ocm: a Git repository as the control plane of a fleet of Kubernetes clusters."""

__version__ = "0.1.0"
