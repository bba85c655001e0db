"""`python -m tools.stage KIND`: the process of one stage, with the settings of its environment."""

import sys

import django

django.setup()

from tools.stage.playing import play  # noqa: E402 (its models need the settings)

play(sys.argv[1])
