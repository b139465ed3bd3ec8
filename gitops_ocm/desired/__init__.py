"""What a repository means: a tree of files in, desired objects and every problem found out. Pure."""
