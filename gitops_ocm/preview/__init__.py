"""What a change of the fleet's repository does to the fleet, worked out before it is made, from Git alone."""
