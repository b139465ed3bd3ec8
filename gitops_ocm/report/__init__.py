"""Values to text: plans, tables, and the files of the status branches. Pure."""
