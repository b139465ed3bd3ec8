"""What has to be on a cluster before anything else runs there."""
