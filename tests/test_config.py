"""Every configuration mistake is reported in one sentence that names the file, the section and the key."""

import html
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import UUID

import pytest
from django.test import Client

from tests.support.sites import serving
from tictactoe_site import config, secret
from tictactoe_site.config import BASE_DIR, Config, ConfigError

SECRET = "284e784d-1a25-4a19-92bf-8eeb7a9c0ffe"
GOOD = "[dynamodb]\nregion = us-west-2\n"

# Case: the file's content, and words that the message must contain.
NO_ADDRESS = ("[dynamodb]", "endpoint", "isn't an address")
WRONG: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "empty": ("", ("[dynamodb]", "missing")),
    "no dynamodb section": ("[django]\nallowed_hosts = a.example\n", ("[dynamodb]", "missing")),
    "no section at all": ("region = us-west-2\n", ("line 1", "[dynamodb]")),
    "unknown section": (GOOD + "[dynamo]\nregion = x\n", ("[dynamo]", "unknown section")),
    "default section": ("[DEFAULT]\nregion = us-west-2\n" + GOOD, ("[DEFAULT]", "unknown section")),
    "section twice": (GOOD + GOOD, ("[dynamodb]", "twice", "line 3")),
    "unknown key": (GOOD + "regoin = us-west-2\n", ("[dynamodb]", "regoin", "unknown key")),
    "key twice": (GOOD + "region = us-west-2\n", ("[dynamodb]", "region", "twice")),
    "key of the other section": (GOOD + f"secret_key = {SECRET}\n", ("[dynamodb]", "secret_key", "unknown key")),
    "key in flask and django": (
        GOOD + f"[flask]\nsecret_key = {SECRET}\n[django]\nsecret_key = {SECRET}\n",
        ("[django]", "secret_key", "also in [flask]"),
    ),
    "no number of streams": (
        GOOD + "[django]\nstreams_per_process = many\n",
        ("[django]", "streams_per_process", "'many'", "whole number"),
    ),
    "no stream at all": (
        GOOD + "[django]\nstreams_per_address = 0\n",
        ("[django]", "streams_per_address", "'0'", "whole number"),
    ),
    "more streams than can be": (
        GOOD + f"[django]\nstreams_per_address = {'9' * 5000}\n",
        ("[django]", "streams_per_address", "whole number"),
    ),
    "no region": ("[dynamodb]\n", ("[dynamodb]", "region", "missing")),
    "empty region": ("[dynamodb]\nregion =\n", ("[dynamodb]", "region", "empty")),
    "placeholder region": ("[dynamodb]\nregion=<AWS region>\n", ("[dynamodb]", "region", "placeholder")),
    "no such form of region": ("[dynamodb]\nregion = Oregon\n", ("[dynamodb]", "region", "'Oregon'")),
    "bad endpoint scheme": (GOOD + "endpoint = ftp://x\n", ("[dynamodb]", "endpoint", "'ftp://x'")),
    "bad endpoint port": (GOOD + "endpoint = localhost:port\n", NO_ADDRESS),
    "endpoint port too high": (GOOD + "endpoint = localhost:99999\n", NO_ADDRESS),
    "endpoint with a path": (GOOD + "endpoint = http://localhost/shop\n", NO_ADDRESS),
    "endpoint with spaces": (GOOD + "endpoint = my host\n", NO_ADDRESS),
    "endpoint of dots": (GOOD + "endpoint = http://...\n", NO_ADDRESS),
    "endpoint of a dash": (GOOD + "endpoint = http://-\n", NO_ADDRESS),
    "endpoint with an underscore": (GOOD + "endpoint = http://_x\n", NO_ADDRESS),
    "endpoint with an empty label": (GOOD + "endpoint = http://a..b:80\n", NO_ADDRESS),
    "endpoint with a long label": (GOOD + f"endpoint = {'a' * 64}.example\n", NO_ADDRESS),
    "region against a PrivateLink endpoint": (
        GOOD + "endpoint = vpce-1-a.dynamodb.eu-west-1.vpce.amazonaws.com\n",
        ("[dynamodb]", "us-west-2", "eu-west-1"),
    ),
    "endpoint brackets": (GOOD + "endpoint = http://[::1\n", NO_ADDRESS),
    "region against endpoint": (
        GOOD + "endpoint = dynamodb.eu-west-1.amazonaws.com\n",
        ("[dynamodb]", "region", "us-west-2", "endpoint", "eu-west-1"),
    ),
    "bad table": (GOOD + "table = My Games\n", ("[dynamodb]", "table", "'My Games'")),
    "half of the credentials": (GOOD + "access_key_id = AKIA\n", ("[dynamodb]", "secret_access_key", "missing")),
    "other half": (GOOD + "secret_access_key = x\n", ("[dynamodb]", "access_key_id", "missing")),
    "short secret": (GOOD + "[django]\nsecret_key = hunter2\n", ("[django]", "secret_key", "7 characters")),
    "short secret in flask": (GOOD + "[flask]\nsecret_key = hunter2\n", ("[flask]", "secret_key", "7 characters")),
    "empty secret": (GOOD + "[flask]\nsecret_key =\n", ("[flask]", "secret_key", "empty")),
    "short fallback": (GOOD + "[django]\nsecret_key_fallbacks = x\n", ("[django]", "secret_key_fallbacks")),
    "bad host": (
        GOOD + "[django]\nallowed_hosts = https://x.example/\n",
        ("[django]", "allowed_hosts", "isn't a host name"),
    ),
    "host that Django never serves": (
        GOOD + "[django]\nallowed_hosts = my_site.example.com\n",
        ("[django]", "allowed_hosts", "'my_site.example.com'", "isn't a host name"),
    ),
    "unresolved secret": (
        GOOD + "[django]\nsecret_key = {{resolve:ssm-secure:/hunter2/secret-key-of-the-site:1}}\n",
        ("[django]", "secret_key", "is an unresolved reference, not the secret"),
    ),
    "ARN of a secret": (
        GOOD + "[flask]\nsecret_key = arn:aws:secretsmanager:us-west-2:123456789012:secret:hunter2-AbCdEf\n",
        ("[flask]", "secret_key", "is an ARN, not the secret"),
    ),
    "neither yes nor no": (GOOD + "[django]\nhttps = on\n", ("[django]", "https", "'on'", "yes or no")),
    "no equals sign": (GOOD + "endpoint\n", ("[dynamodb]", "endpoint", "line 3", "key = value")),
    "continued line": ("[dynamodb]\nregion = us-west-2\n  endpoint = x\n", ("[dynamodb]", "region", "several lines")),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), ("byte order mark", "UTF-8")),
    "UTF-16": (GOOD.encode("utf-16"), ("byte order mark", "UTF-8")),
    "binary": (bytes(range(128, 256)) * 4, ("isn't UTF-8 text",)),
    "NUL bytes": (GOOD.encode() + b"\0", ("NUL",)),
    "JSON": ('{"region": "us-west-2"}', ("line 1", "[dynamodb]")),
}


OTHER = "b7c5d1f0-5a53-4a86-9a3c-6c1f9e0c9d52"
BOTH = f"{GOOD}[django]\nsecret_key = {SECRET}\nsecret_key_fallbacks = {OTHER}\n"
# Case: the file's content, the environment, and words that the message must contain.
WRONG_ENVIRONMENT: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "short secret": (GOOD, {"SECRET_KEY": "hunter2"}, ("SECRET_KEY in the environment", "7 characters")),
    "short fallback": (GOOD, {"SECRET_KEY_FALLBACKS": f"{SECRET} hunter2"}, ("SECRET_KEY_FALLBACKS", "7 characters")),
    "empty secret": (GOOD, {"SECRET_KEY": " "}, ("SECRET_KEY in the environment", "empty")),
    "placeholder": (GOOD, {"SECRET_KEY": f"<{SECRET}>"}, ("SECRET_KEY in the environment", "placeholder")),
    "JSON": (GOOD, {"SECRET_KEY": f'{{"hunter2": "{SECRET}"}}'}, ("SECRET_KEY in the environment", "JSON", "ARN")),
    "ARN": (
        GOOD,
        {"SECRET_KEY": f"arn:aws:secretsmanager:us-west-2:123456789012:secret:{SECRET}"},
        ("SECRET_KEY in the environment is an ARN",),
    ),
    "unresolved reference": (
        GOOD,
        {"SECRET_KEY": f"{{{{resolve:secretsmanager:{SECRET}:SecretString}}}}"},
        ("SECRET_KEY in the environment is an unresolved reference",),
    ),
    "unresolved fallback": (
        GOOD,
        {"SECRET_KEY_FALLBACKS": f"{SECRET} {{{{resolve:ssm:{OTHER}}}}}"},
        ("SECRET_KEY_FALLBACKS in the environment is an unresolved reference",),
    ),
    "another in the file": (BOTH, {"SECRET_KEY": OTHER}, ("[django] secret_key differs", "SECRET_KEY in the env")),
    "other fallbacks in the file": (
        BOTH,
        {"SECRET_KEY_FALLBACKS": SECRET},
        ("[django] secret_key_fallbacks differs", "SECRET_KEY_FALLBACKS in the environment"),
    ),
}


@pytest.mark.parametrize("case", WRONG_ENVIRONMENT)
def test_invalid_secret_in_environment_is_an_error_that_hides_it(tmp_path: Path, case: str) -> None:
    content, environ, words = WRONG_ENVIRONMENT[case]
    sentence = problem(write(tmp_path / "site.config", content), **environ)
    for word in words:
        assert word in sentence
    for hidden in ("hunter2", SECRET, OTHER, "\n"):
        assert hidden not in sentence


def test_secrets_come_from_environment_or_file_or_both_if_equal(tmp_path: Path) -> None:
    neither = write(tmp_path / "a", GOOD)
    both = write(tmp_path / "b", BOTH)
    environ = {"SECRET_KEY": f"{SECRET}\n", "SECRET_KEY_FALLBACKS": f" {OTHER}, {SECRET}"}
    loaded = config.load({"CONFIG_FILE": str(neither)} | environ)
    assert (loaded.secret_key, loaded.secret_key_fallbacks) == (SECRET, (OTHER, SECRET))
    for same in ({}, {"SECRET_KEY": SECRET}, {"SECRET_KEY_FALLBACKS": OTHER}):
        loaded = config.load({"CONFIG_FILE": str(both)} | same)
        assert (loaded.secret_key, loaded.secret_key_fallbacks) == (SECRET, (OTHER,))


def test_https_trusts_https_origins_of_allowed_hosts(tmp_path: Path) -> None:
    hosts = f"{GOOD}[django]\nallowed_hosts = play.example.com, .example.org *\n"
    plain = config.load({"CONFIG_FILE": str(write(tmp_path / "a", hosts))})
    assert (plain.https, plain.trusted_origins) == (False, [])
    loaded = config.load({"CONFIG_FILE": str(write(tmp_path / "b", hosts + "https = yes\n"))})
    assert loaded.https
    assert loaded.trusted_origins == ["https://play.example.com", "https://example.org", "https://*.example.org"]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def problem(path: Path | str, **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        config.load({"CONFIG_FILE": str(path)} | environ)
    return str(error.value)


@pytest.mark.parametrize("case", WRONG)
def test_invalid_file_error_names_file_section_and_key(tmp_path: Path, case: str) -> None:
    content, words = WRONG[case]
    sentence = problem(write(tmp_path / "site.config", content))
    assert sentence.startswith(f"{tmp_path}/site.config: ")
    for word in words:
        assert word in sentence
    assert "\n" not in sentence
    assert "hunter2" not in sentence


def test_unopenable_path_error_gives_reason(tmp_path: Path) -> None:
    assert "doesn't exist" in problem(tmp_path / "gone.config")
    assert "a directory" in problem(tmp_path)
    assert "Not a directory" in problem(write(tmp_path / "file", "") / "below")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "symbolic links" in problem(loop)
    assert "name too long" in problem("x" * 5000).lower()
    assert "null byte" in problem("a\0b")


def test_file_without_read_permission_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "site.config", GOOD)
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root can read everything
        assert "Permission denied" in problem(path)
    finally:
        os.seteuid(user)


def test_unset_config_file_is_an_error() -> None:
    for environ in ({}, {"CONFIG_FILE": ""}, {"CONFIG_FILE": "  "}):
        with pytest.raises(ConfigError, match=r"CONFIG_FILE is not set.*\[dynamodb\].*region"):
            config.load(environ)


def test_seeds_file_loads_unchanged(tmp_path: Path) -> None:
    text = (
        f"[dynamodb] \nregion=us-west-2 \nendpoint=dynamodb.us-west-2.amazonaws.com\n[flask] \nsecret_key= {SECRET}  \n"
    )
    loaded = config.load({"CONFIG_FILE": str(write(tmp_path / "beanstalk.config", text))})
    assert loaded == Config(region="us-west-2", endpoint="https://dynamodb.us-west-2.amazonaws.com", secret_key=SECRET)


def test_sample_file_is_found_from_any_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.load({"CONFIG_FILE": "beanstalk.config"}).region == "us-west-2"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("dynamodb.us-west-2.amazonaws.com", "https://dynamodb.us-west-2.amazonaws.com"),
        ("dynamodb.us-west-2.amazonaws.com:443", "https://dynamodb.us-west-2.amazonaws.com:443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("vpce-1.dynamodb.us-west-2.vpce.amazonaws.com", "https://vpce-1.dynamodb.us-west-2.vpce.amazonaws.com"),
    ],
)
def test_endpoint_forms_become_urls(tmp_path: Path, written: str, url: str) -> None:
    path = write(tmp_path / "site.config", f"{GOOD}endpoint = {written}  ; a comment\n")
    assert config.load({"CONFIG_FILE": str(path)}).endpoint == url


def test_local_endpoint_gets_placeholder_credentials_unless_given(tmp_path: Path) -> None:
    local = write(tmp_path / "a", GOOD + "endpoint = http://127.0.0.1:8000\n")
    own = write(tmp_path / "b", local.read_text() + "access_key_id = me\nsecret_access_key = too\n")
    assert config.load({"CONFIG_FILE": str(local)}).access_key_id == "local"
    for outside in ({"AWS_ACCESS_KEY_ID": "x"}, {"AWS_PROFILE": "x"}):
        assert config.load({"CONFIG_FILE": str(local)} | outside).access_key_id == "local"
    container = write(tmp_path / "e", GOOD + "endpoint = http://dynamodb:8000\n")
    assert config.load({"CONFIG_FILE": str(container)}).access_key_id == "local"
    assert config.load({"CONFIG_FILE": str(container), "AWS_PROFILE": "x"}).access_key_id is None
    assert config.load({"CONFIG_FILE": str(own), "AWS_ACCESS_KEY_ID": "x"}).access_key_id == "me"
    assert config.load({"CONFIG_FILE": str(write(tmp_path / "c", GOOD))}).access_key_id is None
    private = write(tmp_path / "d", GOOD + "endpoint = vpce-1-a.dynamodb.us-west-2.vpce.amazonaws.com\n")
    assert config.load({"CONFIG_FILE": str(private)}).access_key_id is None


REGIONS_AND_HOSTS = [
    ("us-west-2", "dynamodb-fips.us-west-2.amazonaws.com"),
    ("us-gov-west-1", "dynamodb.us-gov-west-1.api.aws"),
    ("cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn"),
    ("cn-northwest-1", "dynamodb.cn-northwest-1.api.amazonwebservices.com.cn"),
    ("eusc-de-east-1", "dynamodb.eusc-de-east-1.amazonaws.eu"),
    ("eusc-de-east-1", "123456789012.ddb.eusc-de-east-1.amazonaws.eu"),
    ("us-iso-east-1", "dynamodb.us-iso-east-1.c2s.ic.gov"),
    ("us-isob-east-1", "vpce-1-a.dynamodb.us-isob-east-1.vpce.sc2s.sgov.gov"),
    ("eu-isoe-west-1", "dynamodb.eu-isoe-west-1.cloud.adc-e.uk"),
    ("us-isof-south-1", "dynamodb.us-isof-south-1.csp.hci.ic.gov"),
]


@pytest.mark.parametrize(("region", "host"), REGIONS_AND_HOSTS)
def test_endpoint_of_any_partition_is_known(tmp_path: Path, region: str, host: str) -> None:
    path = write(tmp_path / "site.config", f"[dynamodb]\nendpoint = {host}\n")
    loaded = config.load({"CONFIG_FILE": str(path)})
    assert (loaded.region, loaded.access_key_id) == (region, None)
    other = write(path, f"[dynamodb]\nregion = us-east-1\nendpoint = {host}\n")
    assert f"is us-east-1, but [dynamodb] endpoint is in {region}" in problem(other)
    assert config.for_endpoint(host, environ={}).region == region


def test_region_in_environment_is_for_other_endpoints_if_valid() -> None:
    for environ, region in [
        ({"AWS_REGION": "us west"}, "us-west-2"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
    ]:
        assert config.for_endpoint("http://dynamodb:8000", environ=environ).region == region


def test_repr_of_config_hides_secrets(tmp_path: Path) -> None:
    path = write(
        tmp_path / "site.config",
        f"{GOOD}access_key_id = a\nsecret_access_key = hush\n[django]\nsecret_key = {SECRET}\n",
    )
    shown = repr(config.load({"CONFIG_FILE": str(path)}))
    assert "hush" not in shown
    assert SECRET not in shown


def run(*arguments: str, config_file: Path | str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "CONFIG_FILE": str(config_file)}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=BASE_DIR, env=environ, timeout=60, check=False)


@pytest.mark.process
@pytest.mark.parametrize("command", ["create_table", "inspect_table", "list_games", f"show_game {UUID(int=0)}", "play"])
def test_commands_print_config_error_and_exit_with_2(tmp_path: Path, command: str) -> None:
    path = write(tmp_path / "site.config", "[dynamodb]\nregoin = us-west-2\n")
    done = run(*command.split(), config_file=path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip().endswith(problem(path))
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def broken_site(settings: Any) -> str:
    settings.SETUP_PROBLEM = "/etc/site.config: [dynamodb] region is missing."
    return str(settings.SETUP_PROBLEM)


def test_misconfigured_site_is_503_with_error(broken_site: str) -> None:
    for path in ("/", "/games/new/", "/nothing/here/", "/accounts/login/"):
        answer = Client().get(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert broken_site in answer.content.decode()
        assert "CONFIG_FILE" in answer.content.decode()
    assert Client().get("/healthz/").status_code == 200
    ready = Client().get("/readyz/")
    assert (ready.status_code, ready.json()["error"]) == (503, broken_site)


@pytest.mark.process
@pytest.mark.parametrize(
    "content", [None, "", "[dynamodb]\nregoin = x\n", b"\xff\xfe\x00", GOOD + "[django]\nsecret_key = hunter2\n"]
)
def test_server_with_invalid_file_shows_config_error(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "site.config"
    if content is not None:
        write(path, content)
    with serving(CONFIG_FILE=str(path)) as address:
        assert urlopen(f"{address}/healthz/", timeout=60).status == 200
        with pytest.raises(HTTPError) as answer:
            urlopen(f"{address}/", timeout=60)
        with answer.value:
            assert answer.value.code == 503
            assert problem(path) in html.unescape(answer.value.read().decode())


def test_generated_secret_key_is_kept_with_mode_600(tmp_path: Path) -> None:
    path = tmp_path / ".secret_key"
    made = secret.local_secret_key(path)
    assert len(made) >= 50
    assert secret.local_secret_key(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.process
def test_processes_starting_together_agree_on_secret_key(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from tictactoe_site.secret import *; print(local_secret_key(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "key")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=BASE_DIR) for _ in range(8)]
    assert len({process.communicate()[0] for process in started}) == 1


@pytest.mark.parametrize("content", ["abc", b"\xff" * 60])
def test_damaged_key_file_is_an_error(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(ConfigError, match="remove the file"):
        secret.local_secret_key(write(tmp_path / "damaged", content))


WITHOUT_SPACE = """
import pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from tictactoe_site import secret
try:
    secret.local_secret_key(pathlib.Path(sys.argv[1]))
except secret.ConfigError as exc:
    print(exc)
"""


@pytest.mark.process
def test_key_is_created_once_the_disk_has_space(tmp_path: Path) -> None:
    path = tmp_path / "key"
    command = [sys.executable, "-c", WITHOUT_SPACE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=BASE_DIR, timeout=60, check=True)
    assert done.stdout.startswith(f"{path}: the server can't keep its own key there (File too large): set [django]")
    assert len(secret.local_secret_key(path)) >= 50
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_key_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="secret_key in CONFIG_FILE"):
        secret.local_secret_key(tmp_path / "nowhere" / "key")
