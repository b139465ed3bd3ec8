"""The operators' judgements: what a ClusterManager or a Klusterlet asks for, as objects and conditions.

`pods` makes Deployments, `gates` knows the feature gates, `hub_objects` and `agent_objects` list what belongs
to a component, `cluster_manager` and `klusterlet` are the reconcilers, `table` their rows. Running the table
against clusters, and keys and certificates, are `gitops_ocm.operator`'s.
"""
