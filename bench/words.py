"""`python -m bench.words`: index all words that wait, as the dispatcher does; prints how many."""

import os
import sys

import django


def main() -> int:
    """Until none waits."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "buzon.config.settings"
    django.setup()
    from buzon.config import logs
    from buzon.config.installation import open_installation
    from buzon.desk.search import index_waiting

    logs.set_up(level="warning")
    open_installation(create=False)
    done = 0
    while number := index_waiting():
        done += number
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
