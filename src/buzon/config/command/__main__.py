"""`python -m buzon.config.command` is `buzon`."""

import sys

from buzon.config.command import main

sys.exit(main())
