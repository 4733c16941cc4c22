"""``manage.py launch_url`` prints a URL that decodes to the given options, or a one-sentence error."""

from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.support.sites import manage

pytestmark = pytest.mark.deployment

GIVEN = ("--region", "us-west-2", "--bucket", "alices-games")


def launch_url(*arguments: str) -> str:
    out = StringIO()
    call_command("launch_url", *GIVEN, *arguments, stdout=out)
    return out.getvalue()


def parameters(address: str) -> dict[str, str]:
    """Return the parameters in the URL's fragment: the console is a single-page application and reads them there."""
    page, _, query = urlsplit(address).fragment.partition("?")
    assert page == "/newApplication"
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}


def test_url_opens_regions_console_with_fields_filled_in() -> None:
    line = launch_url()
    assert line.endswith("\n")
    address = urlsplit(line.strip())
    assert (address.scheme, address.netloc, address.path) == ("https", "console.aws.amazon.com", "/elasticbeanstalk/")
    assert address.query == "region=us-west-2"
    assert parameters(line.strip()) == {
        "applicationName": "TicTacToe",
        "platform": "arn:aws:elasticbeanstalk:us-west-2::platform/Python 3.13 running on 64bit Amazon Linux 2023",
        "sourceBundleUrl": "https://s3.amazonaws.com/alices-games/tictactoe.zip",
        "environmentType": "SingleInstance",
        "tierName": "WebServer",
        "instanceType": "t3.small",
    }


def test_every_option_is_encoded_in_the_url() -> None:
    address = launch_url(
        *("--key", "v 1/tic&tac=töe#?.zip", "--application", "Älice & Bob's #1?", "--environment-type", "LoadBalanced"),
        *("--instance-type", "t4g.small", "--platform", "Python 3.12 running on 64bit Amazon Linux 2023"),
    ).strip()
    assert address.isascii()
    assert not set(address) & set(" \"'<>")
    assert address.count("#") == 1
    found = parameters(address)
    assert found["applicationName"] == "Älice & Bob's #1?"
    assert found["sourceBundleUrl"] == "https://s3.amazonaws.com/alices-games/v%201/tic%26tac%3Dt%C3%B6e%23%3F.zip"
    assert (found["environmentType"], found["instanceType"]) == ("LoadBalanced", "t4g.small")
    assert found["platform"].endswith("/Python 3.12 running on 64bit Amazon Linux 2023")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--region", "Oregon"], "'Oregon' isn't an AWS region"),
        (["--region", "<AWS-Region>"], "isn't an AWS region"),
        (["--region", "cn-north-1"], "no Launch Now address for cn-north-1"),
        (["--region", "eusc-de-east-1"], "no Launch Now address for eusc-de-east-1"),
        (["--bucket", "<bucket-name>"], "isn't an S3 bucket"),
        (["--bucket", "Alices-Games"], "isn't an S3 bucket"),
        (["--bucket", "ab"], "isn't an S3 bucket"),
        (["--bucket", "a..b"], "isn't an S3 bucket"),
        (["--bucket", "192.168.0.1"], "isn't an S3 bucket"),
        (["--key", ""], "isn't an S3 key"),
        (["--key", "ö" * 513], "isn't an S3 key"),
        (["--key", "a\nb"], "isn't an S3 key"),
        (["--key", "\udc80"], "isn't an S3 key"),
        (["--application", "alice/bob"], "without a slash"),
        (["--application", "\udc80"], "without a slash"),
        (["--application", "x" * 101], "100 characters"),
        (["--environment-type", "Worker"], "SingleInstance or LoadBalanced"),
        (["--instance-type", "micro"], "such as t3.small"),
        (["--platform", "Python&3"], "list-platform-branches"),
    ],
)
def test_invalid_value_is_a_command_error(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        launch_url(*arguments)


@pytest.mark.process
def test_invalid_parameter_exits_with_2_and_help_names_alternatives() -> None:
    wrong, incomplete, taught = (
        manage("launch_url", *GIVEN, "--key", ""),
        manage("launch_url"),
        manage("launch_url", "-h"),
    )
    assert (wrong.returncode, incomplete.returncode, taught.returncode) == (2, 2, 0)
    assert "--region" in incomplete.stderr
    assert "Traceback" not in wrong.stderr + incomplete.stderr
    for words in ("eb create", "template", "CONFIG_FILE", "Exit codes"):
        assert words in " ".join(taught.stdout.split())
