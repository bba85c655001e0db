"""`python -m bench.others`: the environment of the other programs, under `var/bench/`."""

import sys

from bench.measured import CannotMeasure
from bench.others.installed import FOLDER, install

if __name__ == "__main__":
    try:
        install()
    except CannotMeasure as error:
        sys.exit(str(error))
    print(f"The other programs are in {FOLDER}.")
