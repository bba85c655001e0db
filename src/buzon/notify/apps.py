"""Telling people as a Django application."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "buzon.notify"
    default_auto_field = "django.db.models.BigAutoField"
