"""django-mailbox and django-helpdesk: each in a Django project of its own, on SQLite.

Both delete from the server what they took, so each run meets a copy of the mail.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

from bench.measured import CannotMeasure, run
from bench.others.installed import in_environment
from bench.program import Program, Task, Where
from bench.servers import Mail

Place = Callable[[Where], Where]


def django_mailbox(mail: Mail, *, through: Place, name: str = "django-mailbox") -> Program:
    """`getmail`, which stores each message and its attachments; `through` may be a relay."""
    return _program(name, mail, through, app="django_mailbox", setup=_MAILBOX, work="getmail")


def django_helpdesk(mail: Mail, *, through: Place, name: str = "django-helpdesk") -> Program:
    """`get_email`, which makes a ticket or a follow-up of each message."""
    return _program(name, mail, through, app="helpdesk", setup=_HELPDESK, work="get_email")


def _program(name: str, mail: Mail, through: Place, *, app: str, setup: str, work: str) -> Program:
    def prepare(place: Path) -> AbstractContextManager[Task]:
        return _prepared(name, mail, place, through, app, setup, work)

    return Program(name, mail.messages, mail.octets, prepare)


@contextmanager
def _prepared(
    name: str, mail: Mail, place: Path, through: Place, app: str, setup: str, work: str
) -> Iterator[Task]:
    (place / "settings.py").write_text(_SETTINGS.format(place=str(place), app=app))
    (place / "urls.py").write_text(_URLS)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BUZON_")}
    environment |= {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(place)}
    admin = in_environment("django-admin")
    run([admin, "migrate", "--verbosity", "0"], environment, name=f"{name}'s migrate")
    with mail.copy() as copied:
        where = through(copied)
        address = f"imap://{quote(where.login)}:{quote(where.secret)}@{where.host}:{where.port}"
        script = setup.format(where=where, address=address)
        run([admin, "shell", "-c", script], environment, name=f"{name}'s settings")

        def count(said: str) -> None:
            asked = run([admin, "shell", "-c", _COUNT[app]], environment)
            stored = int(asked.split()[-1])
            if stored != mail.messages:
                raise CannotMeasure(f"{name} stored {stored:,} of {mail.messages:,} messages.")

        yield Task([admin, work], environment, count)


_SETTINGS = """\
SECRET_KEY = "bench"
USE_TZ = True
ROOT_URLCONF = "urls"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.admin", "django.contrib.messages", "django.contrib.sites",
    "django.contrib.humanize", "{app}",
]
SITE_ID = 1
MEDIA_ROOT = "{place}/media"
MEDIA_URL = "/media/"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{place}/db.sqlite3"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
TEMPLATES = [{{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {{"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]}},
}}]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
HELPDESK_TEAMS_MODE_ENABLED = False
"""

_URLS = """\
from django.conf import settings
from django.urls import include, path

urlpatterns = []
if "helpdesk" in settings.INSTALLED_APPS:
    urlpatterns.append(path("", include("helpdesk.urls", namespace="helpdesk")))
"""

_MAILBOX = """\
from django_mailbox.models import Mailbox
Mailbox.objects.create(name="bench", uri="{address}")
"""

_HELPDESK = """\
from django.utils import timezone
from helpdesk.models import Queue
Queue.objects.create(
    title="bench", slug="bench", allow_email_submission=True, email_box_type="imap",
    email_box_host="{where.host}", email_box_port={where.port}, email_box_user="{where.login}",
    email_box_pass="{where.secret}", email_box_imap_folder="INBOX", email_box_interval=0,
    email_box_last_check=timezone.now() - timezone.timedelta(hours=1), logging_type="none",
)
"""

_COUNT = {
    "django_mailbox": "from django_mailbox.models import Message; print(Message.objects.count())",
    "helpdesk": "from helpdesk.models import FollowUp; print(FollowUp.objects.count())",
}
