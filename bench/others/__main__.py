"""`python -m bench.others`: the environment of the other programs, under `var/bench/`."""

import subprocess
import sys

from bench.others.installed import FOLDER, install

if __name__ == "__main__":
    try:
        install()
    except subprocess.CalledProcessError as error:
        sys.exit(f"The other programs could not be installed: {error}.")
    print(f"The other programs are in {FOLDER}.")
