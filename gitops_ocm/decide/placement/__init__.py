"""Which clusters a Placement selects: filters, scores, groups, and the decisions written of them."""
