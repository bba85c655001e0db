"""The desk as a Django application."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class DeskConfig(AppConfig):
    name = "buzon.desk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from buzon.desk import alphabet
        from buzon.desk.search import words

        alphabet.register()
        connection_created.connect(alphabet.teach, dispatch_uid="buzon.desk.alphabet")
        connection_created.connect(words.teach, dispatch_uid="buzon.desk.search.words")
