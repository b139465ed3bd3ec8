"""The live interpreter of the controller table: watch caches, work queue, writes, runner."""
