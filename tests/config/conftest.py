"""Django is set up before the models are imported by the tests of this room."""

import django

django.setup()
