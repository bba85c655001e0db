"""The pages as an ASGI application, for `buzon up` and for any other ASGI server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buzon.config.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
