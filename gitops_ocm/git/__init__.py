"""Git, in and out: the only package that runs the `git` program."""
