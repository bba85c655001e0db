"""Custody as a Django application."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "buzon.intake"
    default_auto_field = "django.db.models.BigAutoField"
