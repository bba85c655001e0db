"""The desk as a Django application."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "buzon.desk"
    default_auto_field = "django.db.models.BigAutoField"
