"""Neither the settings of the pages nor what `make doc` makes are tested as examples."""

collect_ignore_glob = ["conf.py", "_build/*", "_templates/*", "auto_examples/*", "generated/*"]
