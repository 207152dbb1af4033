"""The command line: `hyperband.cli.main.main`."""
