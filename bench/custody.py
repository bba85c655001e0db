"""`python -m bench.custody`: one collection that ends with custody, raw octets and ledger durable.

As `buzon collect --once --json`, of an installation with one account, but nothing is understood.
"""

import json
import os
import sys

import django


def main() -> int:
    """Collect, and print the totals."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "buzon.config.settings"
    django.setup()
    from buzon.config import logs
    from buzon.config.installation import open_installation
    from buzon.intake.models import Duty
    from buzon.intake.runs import collect_once
    from buzon.lease import claim

    logs.set_up(level="warning")
    open_installation(create=False)
    lease = claim(Duty.objects.get(kind=Duty.Kind.COLLECT))
    assert lease is not None
    totals = collect_once(lease, stop=lambda: False, understand=False)
    print(json.dumps([totals.as_json()]))
    return 1 if totals.error else 0


if __name__ == "__main__":
    sys.exit(main())
