"""Django's settings. Everything that differs between deployments comes from ``tictactoe_site.config``."""

import secrets
from hashlib import blake2b

from django.utils.log import CallbackFilter

from tictactoe_site import config, secret

BASE_DIR = config.BASE_DIR

# Start even with an invalid configuration: answer health checks, and show what to set (middleware.Setup).
CONFIG_NAMED = config.is_named()
CONFIG: config.Config | None = None
SETUP_PROBLEM = ""
try:
    CONFIG = config.load()
except config.ConfigError as exc:
    SETUP_PROBLEM = str(exc)
try:
    SECRET_KEY = (CONFIG and CONFIG.secret_key) or secret.local_secret_key(BASE_DIR / ".secret_key")
except config.ConfigError as exc:
    SETUP_PROBLEM = SETUP_PROBLEM or str(exc)
    SECRET_KEY = secrets.token_urlsafe(50)  # This process's own. The setup page stores nothing.
HAS_SHARED_KEY = bool(CONFIG and CONFIG.secret_key)
SECRET_KEY_FALLBACKS = list(CONFIG.secret_key_fallbacks) if CONFIG else []

DEBUG = False
# Beanstalk's own names; the second is in China.
ALLOWED_HOSTS = [".elasticbeanstalk.com", ".eb.amazonaws.com.cn", *(CONFIG.allowed_hosts if CONFIG else ())]

# gunicorn gets the scheme from nginx (.platform/nginx/conf.d/forwarded.conf), so Django needs no header for it.
HTTPS = bool(CONFIG and CONFIG.https)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz/$", "^readyz/$"]  # requested over HTTP from inside
# A year, to protect occasional players. If the site gives up HTTPS, their browsers can't reach it for this long.
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = CONFIG.trusted_origins if CONFIG else []

LIVE_SOCKET = config.live_socket()
STREAMS_PER_PROCESS = (CONFIG or config.Config()).streams_per_process
STREAMS_PER_ADDRESS = (CONFIG or config.Config()).streams_per_address

DATABASES: dict[str, dict[str, str]] = {}
INSTALLED_APPS = ["django.contrib.staticfiles", "django.contrib.humanize", "accounts", "beanstalk", "games"]
MIDDLEWARE = [
    "tictactoe_site.middleware.Health",
    "tictactoe_site.middleware.Log",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tictactoe_site.middleware.Headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tictactoe_site.middleware.Setup",
    "accounts.sessions.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.Identify",
    "tictactoe_site.middleware.Readable",
    "games.middleware.TakeAlong",
    "games.middleware.DomainErrors",
]
ROOT_URLCONF = "tictactoe_site.urls"
WSGI_APPLICATION = "tictactoe_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "accounts.jinja.environment",
            "context_processors": ["tictactoe_site.jinja.of_request", "accounts.jinja.of_session"],
        },
    }
]

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
# Cookies are shared by all sites on a host, whatever their ports. So the names contain a hash of the key.
_keys = (SECRET_KEY, *SECRET_KEY_FALLBACKS)
_names = [f"tictactoe-{blake2b(key.encode(), digest_size=4).hexdigest()}" for key in _keys]
SESSION_COOKIE_NAME = _names[0]
OLD_SESSION_COOKIES = [*_names[1:], "session"]
CSRF_COOKIE_NAME = f"{SESSION_COOKIE_NAME}-csrf"
OLD_CSRF_COOKIES = [f"{name}-csrf" for name in _names[1:]]
# A guest exists only in the session. It lasts this long after the last day with a POST (accounts.sessions.go_on), and
# must outlive a guest's game, which lasts 30 days.
SESSION_COOKIE_AGE = 60 * 24 * 60 * 60
CSRF_FAILURE_VIEW = "tictactoe_site.views.csrf_failure"

PASSWORD_HASHERS = ["accounts.hashers.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.forms.Guessable"},
]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ROOT = BASE_DIR / "games/static/root"  # what browsers and robots ask for at the root
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# No page uses any of these, so no script that gets into one can.
PERMISSIONS_POLICY = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# How the lines look depends on the process: see tictactoe_site.logs and manage.py.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        # Without a live process, pages keep asking for events. The operator needn't see these errors.
        "but events": {
            "()": CallbackFilter,
            "callback": lambda record: "/events/" not in str(getattr(record, "args", "")),
        }
    },
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # Bad input, refusals and lost races concern the players, not the operator.
        "django.request": {"level": "ERROR", "filters": ["but events"]},
        # Django logs these with a traceback, so scanners would fill the log.
        "django.security": {"level": "CRITICAL"},
        # But a form from an untrusted address may mean that the operator hasn't set https.
        "django.security.csrf": {"level": "WARNING"},
        # PynamoDB logs failed and throttled calls, but StoreUnavailable already says so.
        "pynamodb": {"level": "ERROR"},
    },
}
