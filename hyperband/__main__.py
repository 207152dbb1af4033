"""``python -m hyperband`` is the command ``hyperband``."""

from hyperband.cli.main import main

if __name__ == "__main__":
    main(prog_name="hyperband")
