"""Django's settings, made from the environment (`environment.py`)."""

from pathlib import Path

from buzon.config.database_settings import database
from buzon.config.environment import read_environment
from buzon.config.web_settings import allowed_hosts, secret_key
from buzon.wire.host_limits import Entry

_values = read_environment()

# By name, so that a type checker and a reader see them; environment.py says what each means.
BUZON_DATA_DIR: Path = _values["BUZON_DATA_DIR"]
BUZON_DATABASE_URL: str = _values["BUZON_DATABASE_URL"]
BUZON_KEYS: str = _values["BUZON_KEYS"]
BUZON_LISTEN: tuple[str, int] | None = _values["BUZON_LISTEN"]
BUZON_PUBLIC_URL: str = _values["BUZON_PUBLIC_URL"]
BUZON_TRUSTED_PROXIES: list[str] = _values["BUZON_TRUSTED_PROXIES"]
BUZON_SECRET_KEY: str = _values["BUZON_SECRET_KEY"]
BUZON_MAX_ACCOUNTS: int = _values["BUZON_MAX_ACCOUNTS"]
BUZON_MAX_MESSAGE_BYTES: int = _values["BUZON_MAX_MESSAGE_BYTES"]
BUZON_MIN_FREE_DISK: int = _values["BUZON_MIN_FREE_DISK"]
BUZON_POLL_SECONDS: float = _values["BUZON_POLL_SECONDS"]
BUZON_WORKERS: int = _values["BUZON_WORKERS"]
BUZON_HOST_LIMITS: tuple[Entry, ...] = _values["BUZON_HOST_LIMITS"]
BUZON_LEASE_SECONDS: float = _values["BUZON_LEASE_SECONDS"]
BUZON_CONNECT_TIMEOUT_SECONDS: float = _values["BUZON_CONNECT_TIMEOUT_SECONDS"]
BUZON_READ_TIMEOUT_SECONDS: float = _values["BUZON_READ_TIMEOUT_SECONDS"]
BUZON_ALLOW_PRIVATE_HOSTS: bool = _values["BUZON_ALLOW_PRIVATE_HOSTS"]
BUZON_CA_FILE: str = _values["BUZON_CA_FILE"]
BUZON_SMTP_URL: str = _values["BUZON_SMTP_URL"]
BUZON_MAIL_FROM: str = _values["BUZON_MAIL_FROM"]
BUZON_READER_SECONDS: int = _values["BUZON_READER_SECONDS"]
BUZON_READER_MEGABYTES: int = _values["BUZON_READER_MEGABYTES"]
BUZON_LOG_LEVEL: str = _values["BUZON_LOG_LEVEL"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "buzon.desk",
    "buzon.intake",
    "buzon.notify",
    "buzon.web",
]
MIDDLEWARE = [
    "buzon.web.headers.headers",
    "buzon.web.compressing.Compressed",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "buzon.web.language.speak",
    "buzon.web.bodies.refuse_too_large",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "buzon.web.refusals.say_where_only_a_button_leads",
]
ROOT_URLCONF = "buzon.web.urls"
ASGI_APPLICATION = "buzon.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [Path(__file__).parent.parent / "web" / "templates"],
        "OPTIONS": {
            "environment": "buzon.web.templating.environment",
            "context_processors": ["buzon.web.context.page"],
        },
    },
]
FORM_RENDERER = "buzon.web.forms.Renderer"
AUTH_USER_MODEL = "desk.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
LANGUAGE_CODE = "en"
LANGUAGES = [("es", "Español"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]

# The pages.
SECRET_KEY = secret_key(BUZON_SECRET_KEY, BUZON_DATA_DIR)
ALLOWED_HOSTS = allowed_hosts(BUZON_LISTEN, BUZON_PUBLIC_URL)
STATIC_URL = "/static/"
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = False
SERVESTATIC_MAX_AGE = 365 * 24 * 3600  # every address of a file carries its digest
SERVESTATIC_ALLOW_ALL_ORIGINS = False
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 3600  # seconds: how long a link to a new password is good
SESSION_COOKIE_NAME = "buzon_session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BUZON_PUBLIC_URL.startswith("https:")
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "buzon_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "buzon.web.refusals.csrf_failure"
CSRF_TRUSTED_ORIGINS = [BUZON_PUBLIC_URL] if BUZON_PUBLIC_URL else []
LANGUAGE_COOKIE_NAME = "buzon_language"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGGING_CONFIG = None  # config/logs.py sets it up
DATABASES = {"default": database(BUZON_DATABASE_URL, BUZON_DATA_DIR)}
