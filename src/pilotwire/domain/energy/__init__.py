"""Energy: the tree of fuses and meters, who may draw how much now, and the plan for the hours to come."""
