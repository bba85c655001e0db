"""The pages as an ASGI application, for `buzon up` and for any other ASGI server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buzon.config.settings")

from django.core.asgi import get_asgi_application

_pages = get_asgi_application()

from buzon.web.bodies import Bounded  # noqa: E402 (needs the applications that are set up above)

application = Bounded(_pages)
