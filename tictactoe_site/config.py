"""The configuration: CONFIG_FILE, an INI file, and the environment make a frozen Config, whose fields are the keys.

Every mistake raises ConfigError with one sentence that names the file, the section and the key. A parser says only
what is wrong; its caller adds where (``_at``). A sentence never repeats a value that could be secret.
"""

import configparser
import os
import re
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dynamodb.endpoints import is_aws, is_this_machine, partition_of, region_of

BASE_DIR = Path(__file__).resolve().parent.parent
DEFAULT_REGION = "us-west-2"
DEFAULT_TABLE = "Games"
PLACEHOLDER = "local"
MINIMUM_SECRET_LENGTH = 32
# The section names in the file, and the section that each one means. Files for the AWS example have [flask].
SECTIONS = {"dynamodb": "dynamodb", "django": "django", "flask": "django"}
# Beanstalk copies secrets from Secrets Manager and Parameter Store into the environment, with names in capitals:
# https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/AWSHowTo.secrets.env-vars.html
ALSO_IN_ENVIRONMENT = ("secret_key", "secret_key_fallbacks")

# The host names that botocore accepts: RFC 1123, section 2.1, and RFC 1035, section 2.3.4.
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*{_LABEL}")
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_HOST = re.compile(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]")
T = TypeVar("T")


class ConfigError(Exception):
    """The configuration can't be used. The message is one sentence for the operator."""


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Put ``where`` in front of the message of any ConfigError that the block raises."""
    try:
        yield
    except ConfigError as exc:
        raise ConfigError(f"{where}{exc}") from None


def _require(met: object, otherwise: str) -> None:
    if not met:
        raise ConfigError(otherwise)


# One parser for each kind of value. They never get an empty text.
def _region(text: str) -> str:
    sound = text in ("local", "localhost") or partition_of(text)
    _require(sound, f"is {text!r}, which isn't an AWS region: try {DEFAULT_REGION}.")
    return text


def _url(text: str) -> str:
    """Return the endpoint as a URL. ``host`` and ``host:port``, the form in the AWS example, mean HTTPS."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        more = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        host = _HOST_NAME.fullmatch(parts.hostname or "") or IPv6Address(parts.hostname or "")
        sound = host and not more and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:  # from urlsplit, the port, or IPv6Address
        sound = False
    what = "which isn't an address: write host, host:port, or a URL such as http://127.0.0.1:8000."
    _require(sound, f"is {text.rpartition('@')[2]!r}, {what}")
    return url.rstrip("/")


def _table(text: str) -> str:
    _require(TABLE_NAME.fullmatch(text), f"is {text!r}: use 3 to 255 characters from A-Z a-z 0-9 _ . -")
    return text


def _secret(text: str) -> str:
    what = f"is {'an ARN' if text.startswith('arn:') else 'an unresolved reference'}, not the secret"
    advice = "write the secret, or let Beanstalk fetch it (docs/deploy.md)."
    _require(not re.match(r"arn:|\{\{|\$\{", text), f"{what}: {advice}")
    uuid = 'such as the output of python3 -c "import uuid; print(uuid.uuid4())"'
    enough = len(text) >= MINIMUM_SECRET_LENGTH
    _require(enough, f"has {len(text)} characters: use at least {MINIMUM_SECRET_LENGTH}, {uuid}")
    return text


def _host(text: str) -> str:
    what = "which isn't a host name: write names such as play.example.com, without a port."
    _require(_HOST.fullmatch(text), f"contains {text!r}, {what}")
    return text.lower()


def _yes_or_no(text: str) -> bool:
    _require(text in ("yes", "no"), f"is {text!r}: write yes or no.")
    return text == "yes"


def _count(text: str) -> int:
    sound = re.fullmatch(r"[0-9]{1,7}", text) and 1 <= int(text) <= 1_000_000
    _require(sound, f"is {text!r}: write a whole number from 1 to 1000000.")
    return int(text)


def _several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a parser for several values, separated by commas or spaces."""
    return lambda text: tuple(parse(part) for part in text.replace(",", " ").split())


def _key(section: str, parse: Callable[[str], T], default: T, *, secret: bool = False) -> T:
    """Return a field of Config, which declares the key of the same name in the file."""
    return field(default=default, repr=not secret, metadata={"section": section, "parse": parse})


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of the table and the site: each field is a key of CONFIG_FILE.

    ``endpoint`` is a URL, or None for AWS's own endpoint in ``region``. ``access_key_id`` and
    ``secret_access_key`` are None for botocore's own chain (instance role, environment, profile).
    ``https`` says that the load balancer terminates TLS and that players always come through it.
    ``streams_per_address`` is None for the ``live`` process's own default.
    """

    region: str = _key("dynamodb", _region, DEFAULT_REGION)
    endpoint: str | None = _key("dynamodb", _url, None)
    table: str = _key("dynamodb", _table, DEFAULT_TABLE)
    access_key_id: str | None = _key("dynamodb", str, None)
    secret_access_key: str | None = _key("dynamodb", str, None, secret=True)
    secret_key: str | None = _key("django", _secret, None, secret=True)
    secret_key_fallbacks: tuple[str, ...] = _key("django", _several(_secret), (), secret=True)
    allowed_hosts: tuple[str, ...] = _key("django", _several(_host), ())
    https: bool = _key("django", _yes_or_no, False)
    streams_per_process: int = _key("django", _count, 12_000)
    streams_per_address: int | None = _key("django", _count, None)

    @property
    def trusted_origins(self) -> list[str]:
        """The allowed hosts in the form of Django's CSRF_TRUSTED_ORIGINS, empty without ``https``."""
        # Without it, anybody on the way could change a page.
        hosts = [host for host in self.allowed_hosts if self.https and host != "*"]
        # .example.com means example.com and all its subdomains. Origins need one pattern for each of the two.
        names = [name for host in hosts for name in ([host[1:], f"*{host}"] if host.startswith(".") else [host])]
        return [f"https://{name}" for name in names]


KEYS = {key.name: key.metadata for key in fields(Config)}


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration in CONFIG_FILE. A relative path starts at the project's root.

    Raises ConfigError for the first mistake. The order is: environment, file from top to bottom, keys that conflict.
    """
    advice = "set it to the path of a configuration file with the section [dynamodb] and its key region"
    _require(is_named(environ), f"CONFIG_FILE is not set: {advice}, such as beanstalk.config.")
    path = BASE_DIR / environ["CONFIG_FILE"].strip()
    with _at(f"{path}: "):
        data = _read(path)
    return from_bytes(data, path, environ)


def from_bytes(data: bytes, path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration in ``data``. ``path`` is only for messages and isn't opened. Raises ConfigError."""
    secrets = _from_environment(environ)
    with _at(f"{path}: "):
        values = _values(_parsed(data), secrets)
        _agree(values)
    return _with_credentials(Config(**values | secrets), environ)


def is_named(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether CONFIG_FILE is set and not blank."""
    return bool(environ.get("CONFIG_FILE", "").strip())


def for_endpoint(endpoint: str, *, base: Config | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Return ``base`` with another endpoint. Without ``base``, use defaults and no file. Raises ConfigError."""
    with _at("--endpoint: [dynamodb] endpoint "):
        url = _url(endpoint)
    named = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    base = base or Config(region=named if partition_of(named) else DEFAULT_REGION)
    base = replace(base, endpoint=url, region=region_of(url) or base.region)
    if base.access_key_id in (None, PLACEHOLDER):
        base = replace(base, access_key_id=None, secret_access_key=None)
    return _with_credentials(base, environ)


def live_socket(environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of the socket on which this server's ``web`` process sends hints to its ``live`` process."""
    return environ.get("LIVE_SOCKET", "").strip() or str(BASE_DIR / ".live.sock")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError("CONFIG_FILE names this file, but it doesn't exist: correct the path.") from None
    except IsADirectoryError:
        raise ConfigError("CONFIG_FILE names a directory: name the file in it.") from None
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise ConfigError(f"CONFIG_FILE names this file, but it can't be read ({reason}): correct it.") from None


def _parsed(data: bytes) -> ConfigParser:
    parser = ConfigParser(
        interpolation=None, inline_comment_prefixes=(";",), default_section="\0", empty_lines_in_values=False
    )
    boms = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
    _require(not data.startswith(boms), "the file starts with a byte order mark: save it as UTF-8 without a BOM.")
    try:
        text = data.decode()
        _require("\0" not in text, "the file contains NUL bytes: it should be text like beanstalk.config.")
        parser.read_string(text)
    except UnicodeDecodeError:
        raise ConfigError("the file isn't UTF-8 text: it should look like beanstalk.config.") from None
    except configparser.Error as exc:
        raise ConfigError(_syntax(exc, text)) from None
    return parser


def _syntax(exc: configparser.Error, text: str) -> str:
    match exc:
        case configparser.DuplicateOptionError():
            return f"[{exc.section}] {exc.option} appears twice (line {exc.lineno}): keep one."
        case configparser.DuplicateSectionError():
            return f"the section [{exc.section}] appears twice (line {exc.lineno}): merge the two."
        case configparser.MissingSectionHeaderError():
            return f"line {exc.lineno} comes before any section: the first line should be [dynamodb]."
        case configparser.ParsingError():
            number = exc.errors[0][0]
            before = text.splitlines()[:number]
            section = next((line.strip() for line in reversed(before) if line.startswith("[")), "")
            # Show only the first word: the rest may be a secret.
            return f"{section} {before[-1].split()[0]:.40} (line {number}) doesn't have the form key = value."
        case _:
            return "the file isn't an INI file: it should look like beanstalk.config."


def _values(parser: ConfigParser, secrets: Mapping[str, object]) -> dict[str, Any]:
    """Return the file's values by key. ``secrets`` from the environment must not differ from them."""
    values: dict[str, Any] = {}
    for section in parser.sections():
        _require(section in SECTIONS, f"[{section}] is an unknown section: use [dynamodb] or [django].")
        known = [name for name, key in KEYS.items() if key["section"] == SECTIONS[section]]
        for name in parser.options(section):
            with _at(f"[{section}] {name} "):
                _require(name in known, f"is an unknown key: use one of {', '.join(known)}.")
                value = values[name] = KEYS[name]["parse"](_text(parser, section, name))
                # Servers that pick different secrets would log out each other's players.
                same = not value or secrets.get(name, value) == value
                _require(same, f"differs from {name.upper()} in the environment: remove one of the two.")
    _require(parser.has_section("dynamodb"), "the section [dynamodb] is missing: add it, with the key region.")
    return values


def _text(parser: ConfigParser, section: str, name: str) -> str:
    """Return the text of a key. Raise ConfigError if it's invalid for any key, such as an empty text."""
    first = next(other for other in parser.sections() if parser.has_option(other, name))
    _require(first == section, f"is also in [{first}]: keep one.")
    text = parser[section][name]
    _require("\n" not in text, "spans several lines: start each key at the beginning of a line.")
    return _value(text)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the secrets in the environment, by key."""
    found = {}
    for name in ALSO_IN_ENVIRONMENT:
        if name.upper() in environ:
            with _at(f"{name.upper()} in the environment "):
                found[name] = KEYS[name]["parse"](_value(environ[name.upper()]))
    return {name: value for name, value in found.items() if value}


def _value(text: str) -> str:
    """Return the text without spaces around it. Raise ConfigError if it's no value: empty, or what stands for one."""
    text = text.strip()
    _require(text, "is empty: give it a value or remove it.")
    _require(not (text.startswith("<") and text.endswith(">")), "is still the placeholder of a sample: replace it.")
    # A whole secret of several keys, as Secrets Manager's console makes them.
    _require(not re.fullmatch(r"\{[^{].*\}", text), "is JSON: add the name of its key to the end of the secret's ARN.")
    return text


def _agree(values: dict[str, Any]) -> None:
    """Raise ConfigError if values contradict each other. If there's no region, take it from the endpoint."""
    for name, other in (("access_key_id", "secret_access_key"), ("secret_access_key", "access_key_id")):
        complete = name not in values or other in values
        _require(complete, f"[dynamodb] {other} is missing, but {name} is set: set both or neither.")
    named = region_of(values.get("endpoint"))
    with _at("[dynamodb] region "):
        if "region" not in values:
            _require(named, f"is missing: add a line such as region = {DEFAULT_REGION}.")
            values["region"] = _region(named or "")
        region = values["region"]
        _require(named in (None, region), f"is {region}, but [dynamodb] endpoint is in {named}: use one region.")


def _with_credentials(config: Config, environ: Mapping[str, str]) -> Config:
    """Add placeholder credentials for DynamoDB Local if there are none: it needs some. For AWS, botocore finds them."""
    own_chain = environ.get("AWS_ACCESS_KEY_ID") or environ.get("AWS_PROFILE")
    elsewhere = is_aws(config.endpoint) or (own_chain and not is_this_machine(config.endpoint))
    if config.access_key_id is not None or elsewhere:
        return config
    return replace(config, access_key_id=PLACEHOLDER, secret_access_key=PLACEHOLDER)
