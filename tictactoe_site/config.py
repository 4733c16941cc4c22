"""The one reader of CONFIG_FILE and of the environment: an INI file becomes a frozen Config.

Every mistake in the file is a ConfigError: one sentence that names the file, the section and the key. Values are
never repeated in it where they could be secret. The secrets may also come from the environment, into which Beanstalk
puts what Secrets Manager and Parameter Store keep
(https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/AWSHowTo.secrets.env-vars.html).
"""

from __future__ import annotations

import configparser
import ipaddress
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
DEFAULT_REGION = "us-west-2"
DEFAULT_TABLE = "Games"
PLACEHOLDER = "local"
MINIMUM_SECRET_LENGTH = 32

KEYS = {
    "dynamodb": ("region", "endpoint", "table", "access_key_id", "secret_access_key"),
    "django": (
        "secret_key",
        "secret_key_fallbacks",
        "allowed_hosts",
        "https",
        "streams_per_process",
        "streams_per_address",
    ),
}
# Files written for the AWS example call the section [flask].
SECTIONS = {"dynamodb": "dynamodb", "django": "django", "flask": "django"}

# https://docs.aws.amazon.com/general/latest/gr/ddb.html: standard, FIPS, dual-stack, account and
# PrivateLink names.
_AWS_HOST = re.compile(
    r"(?:[a-z0-9-]+\.)?(?:dynamodb(?:-fips)?|ddb)\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)"
)
_AWS_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
# RFC 1123, section 2.1, and RFC 1035, section 2.3.4: what botocore takes for a host name.
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*{_LABEL}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+|local(host)?")
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


class ConfigError(Exception):
    """The configuration can't be used. The text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Config:
    """Where the table is and what the site needs to know.

    ``endpoint`` is a URL, or None for the service's own address in ``region``. ``access_key_id`` and
    ``secret_access_key`` are None where botocore's own chain (instance role, environment, profile) is to be used.
    ``https`` says that TLS ends at the load balancer, and that players are to come that way alone.
    ``streams_per_address`` is None where the ``live`` process has a default of its own.
    """

    region: str = DEFAULT_REGION
    endpoint: str | None = None
    table: str = DEFAULT_TABLE
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    allowed_hosts: tuple[str, ...] = ()
    https: bool = False
    streams_per_process: int = 12_000
    streams_per_address: int | None = None

    @property
    def place(self) -> str:
        """Where the table is, for people."""
        return self.endpoint or f"DynamoDB in {self.region}"

    @property
    def trusted_origins(self) -> list[str]:
        """The allowed hosts as origins that a form may come from, as Django's CSRF_TRUSTED_ORIGINS has them.

        None without ``https``: a page that is sent in the clear can be anybody's.
        """
        hosts = [host for host in self.allowed_hosts if self.https and host != "*"]
        # .example.com allows example.com and all below it; an origin's pattern is for one of the two.
        names = [name for host in hosts for name in ([host[1:], f"*{host}"] if host.startswith(".") else [host])]
        return [f"https://{name}" for name in names]


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration that CONFIG_FILE names; a relative path starts at the project's root. Raises ConfigError."""
    if not is_named(environ):
        raise ConfigError(
            "CONFIG_FILE is not set: set it to the path of a configuration file with the section [dynamodb] and its"
            " key region, such as beanstalk.config."
        )
    path = BASE_DIR / environ["CONFIG_FILE"].strip()
    return from_bytes(_read(path), path, environ)


def from_bytes(data: bytes, path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration in ``data``. Raises ConfigError, which calls the file ``path`` and does not open it."""
    values = _Values(path, _parse(path, _decoded(path, data)))
    region, endpoint = _place(values)
    access_key_id, secret_access_key = _credentials(values, endpoint, environ)
    return Config(
        region=region,
        endpoint=endpoint,
        table=_table(values),
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        secret_key=_secret_key(values, environ),
        secret_key_fallbacks=_secret_key_fallbacks(values, environ),
        allowed_hosts=_allowed_hosts(values),
        https=_https(values),
        **_streams(values),
    )


def is_named(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether CONFIG_FILE is set at all."""
    return bool(environ.get("CONFIG_FILE", "").strip())


def for_endpoint(endpoint: str, *, base: Config | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """``base`` with another endpoint; without a base, a configuration that needs no file. Raises ConfigError."""
    values = _Values(Path("--endpoint"), {})
    url = _url(values, endpoint)
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    base = base or Config(region=region)
    base = replace(base, endpoint=url, region=region_of(url) or base.region)
    if base.access_key_id not in (None, PLACEHOLDER):
        return base
    access_key_id, secret_access_key = _credentials(values, url, environ)
    return replace(base, access_key_id=access_key_id, secret_access_key=secret_access_key)


def region_of(endpoint: str | None) -> str | None:
    """The region that an address of the service names, or None for any other address."""
    match = _AWS_HOST.fullmatch(urlsplit(endpoint or "").hostname or "")
    return match[1] if match else None


@dataclass(frozen=True, slots=True)
class _Values:
    """The file's values by (section, key), and the means to say what is wrong with one of them."""

    path: Path
    found: Mapping[tuple[str, str], tuple[str, str]]

    def get(self, section: str, key: str) -> str | None:
        written, value = self.found.get((section, key), (section, None))
        if value is None:
            return None
        if not value:
            raise ConfigError(f"{self.path}: [{written}] {key} is empty: give it a value or remove the line.")
        if value.startswith("<") and value.endswith(">"):
            raise ConfigError(f"{self.path}: [{written}] {key} is still the placeholder {value}: replace it.")
        return value

    def wrong(self, section: str, key: str, what: str) -> ConfigError:
        written, _ = self.found.get((section, key), (section, ""))
        return ConfigError(f"{self.path}: [{written}] {key} {what}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file, and CONFIG_FILE names it: correct the path.") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: CONFIG_FILE names a directory: name the file in it.") from None
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise ConfigError(f"{path}: the file that CONFIG_FILE names can't be read ({reason}).") from None


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(f"{path}: the file starts with a byte order mark: save it as UTF-8 without BOM.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the file is not text in UTF-8: it should look like beanstalk.config.") from None
    if "\0" in text:
        raise ConfigError(f"{path}: the file has NUL bytes in it: it should be text like beanstalk.config.")
    return text


def _parse(path: Path, text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Values by (section, key), each with the section's name as it is written. Raises ConfigError."""
    parser = configparser.ConfigParser(
        interpolation=None, inline_comment_prefixes=(";",), default_section="\0", empty_lines_in_values=False
    )
    try:
        parser.read_string(text)
    except configparser.Error as exc:
        raise ConfigError(f"{path}: {_syntax(exc, text)}") from None
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for section in parser.sections():
        if section not in SECTIONS:
            raise ConfigError(f"{path}: [{section}] is an unknown section: use [dynamodb] or [django].")
        for key, value in parser.items(section):
            _check_key(path, section, key, value, found)
            found[SECTIONS[section], key] = (section, value.strip())
    if not any(section == "dynamodb" for section in parser.sections()):
        raise ConfigError(f"{path}: the section [dynamodb] is missing: add it, with the key region.")
    return found


def _check_key(
    path: Path, section: str, key: str, value: str, found: Mapping[tuple[str, str], tuple[str, str]]
) -> None:
    known = KEYS[SECTIONS[section]]
    if key not in known:
        raise ConfigError(f"{path}: [{section}] {key} is an unknown key: this section has {', '.join(known)}.")
    if (SECTIONS[section], key) in found:
        raise ConfigError(f"{path}: [{section}] {key} is also in [{found[SECTIONS[section], key][0]}]: keep one.")
    if "\n" in value:
        raise ConfigError(f"{path}: [{section}] {key} runs over several lines: start each key at the line's beginning.")


def _syntax(exc: configparser.Error, text: str) -> str:
    match exc:
        case configparser.DuplicateOptionError():
            return f"[{exc.section}] {exc.option} is there twice (line {exc.lineno}): keep one."
        case configparser.DuplicateSectionError():
            return f"the section [{exc.section}] is there twice (line {exc.lineno}): make them one."
        case configparser.MissingSectionHeaderError():
            return f"line {exc.lineno} stands before any section: the first line should be [dynamodb]."
        case configparser.ParsingError():
            number = exc.errors[0][0]
            before = text.splitlines()[:number]
            section = next((line.strip() for line in reversed(before) if line.startswith("[")), "")
            # The first word alone: what follows may be a secret.
            return f"{section} {before[-1].split()[0]:.40} (line {number}) is not written like key = value."
        case _:
            return "the file is not an INI file: it should look like beanstalk.config."


def _place(values: _Values) -> tuple[str, str | None]:
    """Region and endpoint, each of which may follow from the other, and which must not contradict each other."""
    written = values.get("dynamodb", "endpoint")
    endpoint = _url(values, written) if written else None
    named = region_of(endpoint)
    region = values.get("dynamodb", "region") or named
    if not region:
        raise values.wrong("dynamodb", "region", f"is missing: add a line such as region = {DEFAULT_REGION}.")
    if not _REGION.fullmatch(region):
        raise values.wrong("dynamodb", "region", f"is {region!r}, which is no AWS region: try {DEFAULT_REGION}.")
    if named and named != region:
        raise values.wrong(
            "dynamodb", "region", f"is {region}, but [dynamodb] endpoint is in {named}: make them agree."
        )
    return region, endpoint


def _url(values: _Values, written: str) -> str:
    """The endpoint as a URL: ``host`` and ``host:port`` are the seed's form, and mean HTTPS."""
    url = written if "://" in written else f"https://{written}"
    try:
        parts = urlsplit(url)
        hostname, port = parts.hostname or "", parts.port
    except ValueError:
        hostname, port = "", None
    sound = (_HOST_NAME.fullmatch(hostname) or _is_ipv6(hostname)) and parts.scheme in ("http", "https")
    if not sound or port == 0 or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        what = f"is {written.rpartition('@')[2]!r}, which is no address: write host, host:port, or a URL such as http://127.0.0.1:8000."
        raise values.wrong("dynamodb", "endpoint", what)
    return url.rstrip("/")


def _is_ipv6(text: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


def _credentials(values: _Values, endpoint: str | None, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The file's keys; or a placeholder pair for DynamoDB Local, which wants any; or neither, for botocore's chain."""
    key_id, secret = values.get("dynamodb", "access_key_id"), values.get("dynamodb", "secret_access_key")
    if key_id and not secret:
        raise values.wrong(
            "dynamodb", "secret_access_key", "is missing, but access_key_id is there: give both or neither."
        )
    if secret and not key_id:
        raise values.wrong(
            "dynamodb", "access_key_id", "is missing, but secret_access_key is there: give both or neither."
        )
    own_chain = environ.get("AWS_ACCESS_KEY_ID") or environ.get("AWS_PROFILE")
    service = endpoint is None or (urlsplit(endpoint).hostname or "").endswith(_AWS_SUFFIXES)
    if key_id or own_chain or service:
        return key_id, secret
    return PLACEHOLDER, PLACEHOLDER


def _table(values: _Values) -> str:
    table = values.get("dynamodb", "table") or DEFAULT_TABLE
    if not _TABLE.fullmatch(table):
        raise values.wrong("dynamodb", "table", f"is {table!r}: a table's name is 3 to 255 of A-Z a-z 0-9 _ . -")
    return table


def _secret_key(values: _Values, environ: Mapping[str, str]) -> str | None:
    """Of the file or of the environment: servers that took different ones would log out each other's players."""
    in_file, in_environ = values.get("django", "secret_key"), _secret_in(environ, "SECRET_KEY")
    _check_secrets(values, "secret_key", [in_file] if in_file else [], [in_environ] if in_environ else [])
    return in_environ or in_file


def _secret_key_fallbacks(values: _Values, environ: Mapping[str, str]) -> tuple[str, ...]:
    in_file = _several(values.get("django", "secret_key_fallbacks"))
    in_environ = _several(_secret_in(environ, "SECRET_KEY_FALLBACKS"))
    _check_secrets(values, "secret_key_fallbacks", in_file, in_environ)
    return tuple(in_environ or in_file)


def _secret_in(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name, "").strip()
    if name in environ and not value:
        raise ConfigError(f"{name} in the environment is empty: give it a value or remove it.")
    if value.startswith("<") and value.endswith(">"):
        raise ConfigError(f"{name} in the environment is still a placeholder: replace it.")
    if _is_json(value):
        raise ConfigError(f"{name} in the environment is JSON: name the key of it at the end of the secret's ARN.")
    return value or None


def _is_json(text: str) -> bool:
    """Whether this is a secret of several keys, as Secrets Manager's console makes them, whole."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _check_secrets(values: _Values, key: str, in_file: list[str], in_environ: list[str]) -> None:
    """Raises ConfigError where one is too short, or where file and environment each have their own."""
    for secret in in_file:
        if len(secret) < MINIMUM_SECRET_LENGTH:
            raise values.wrong("django", key, _too_short(secret))
    for secret in in_environ:
        if len(secret) < MINIMUM_SECRET_LENGTH:
            raise ConfigError(f"{key.upper()} in the environment {_too_short(secret)}")
    if in_file and in_environ and in_file != in_environ:
        raise values.wrong("django", key, f"differs from {key.upper()} in the environment: remove one of the two.")


def _too_short(secret: str) -> str:
    return (
        f"has {len(secret)} characters: at least {MINIMUM_SECRET_LENGTH} are needed, such as a UUID, which"
        ' python3 -c "import uuid; print(uuid.uuid4())" prints.'
    )


def _streams(values: _Values) -> dict[str, int]:
    """How many event streams may be open at a time. Left out where the file leaves it to the defaults."""
    found = {}
    for key in ("streams_per_process", "streams_per_address"):
        text = values.get("django", key)
        if text is None:
            continue
        if not (text.isascii() and text.isdecimal() and len(text) <= 7 and 0 < int(text) <= 1_000_000):
            raise values.wrong("django", key, f"is {text!r}: write a whole number from 1 to 1000000.")
        found[key] = int(text)
    return found


def live_socket(environ: Mapping[str, str] = os.environ) -> str:
    """Where this server's pages leave hints for its ``live`` process: a file that LIVE_SOCKET may name."""
    return environ.get("LIVE_SOCKET", "").strip() or str(BASE_DIR / ".live.sock")


def _allowed_hosts(values: _Values) -> tuple[str, ...]:
    hosts = tuple(_several(values.get("django", "allowed_hosts")))
    for host in hosts:
        if not _HOST.fullmatch(host):
            what = f"has {host!r} in it, which is no host name: write names such as play.example.com, without port."
            raise values.wrong("django", "allowed_hosts", what)
    return hosts


def _several(text: str | None) -> list[str]:
    """Values with commas or spaces between them."""
    return (text or "").replace(",", " ").split()


def _https(values: _Values) -> bool:
    text = values.get("django", "https") or "no"
    if text not in ("yes", "no"):
        raise values.wrong("django", "https", f"is {text!r}: write yes or no.")
    return text == "yes"
