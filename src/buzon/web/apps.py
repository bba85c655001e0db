"""The pages as a Django application: their static files, and the rows of sign-in."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "buzon.web"
    label = "web"
