"""`python -m bench.sampled FILE`: `buzon collect --once --json`, and at which step each thread was.

Another thread looks at all stacks a thousand times a second, and counts for each step the time
since it looked before. Python lets it look where a function returns or gives up the interpreter's
lock, so single functions are told apart no finer than by some microseconds; the product runs as it
is. FILE gets {step: seconds}, summed over the threads, which run beside each other.
"""

import json
import os
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

from bench.steps import Frame, step_of

EVERY = 0.001  # seconds
SWITCH = 0.0002  # seconds that another thread may keep the interpreter from ours


def main() -> int:
    """Collect under the sampler."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "buzon.config.settings"
    from buzon.config.command import main as buzon

    sys.setswitchinterval(SWITCH)
    seconds: defaultdict[str, float] = defaultdict(float)
    ends = threading.Event()
    sampler = threading.Thread(target=_sample, args=(seconds, ends))
    sampler.start()
    try:
        return buzon(["collect", "--once", "--json"])
    finally:
        ends.set()
        sampler.join()
        Path(sys.argv[1]).write_text(json.dumps(seconds))


def _sample(seconds: "defaultdict[str, float]", ends: threading.Event) -> None:
    own = threading.get_ident()
    last = time.monotonic()
    while not ends.wait(EVERY):
        now = time.monotonic()
        for thread, frame in sys._current_frames().items():
            step = step_of(_stack(frame)) if thread != own else None
            if step is not None:
                seconds[step] += now - last
        last = now


def _stack(frame: FrameType | None) -> list[Frame]:
    found = []
    while frame is not None:
        found.append(Frame(frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        frame = frame.f_back
    return found


if __name__ == "__main__":
    sys.exit(main())
