"""What a preview says, put up where a change is reviewed: one comment, and a commit's status."""
