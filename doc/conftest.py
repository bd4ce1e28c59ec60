"""What `make doc` makes holds no examples of its own to be tested."""

collect_ignore_glob = ["_build/*", "_templates/*", "auto_examples/*", "generated/*"]
