import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from dynamodb.endpoints import partition_of
from tictactoe_site.commands import SiteCommand


def _checked(pattern: str, what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not (text.isprintable() and re.fullmatch(pattern, text)):
            raise ArgumentTypeError(f"{text!r:.80} isn't {what}")
        return text

    return check


def _region(text: str) -> str:
    partition = partition_of(text)
    if not partition:
        raise ArgumentTypeError(f"{text!r:.80} isn't an AWS region: give one such as us-west-2")
    if partition["id"] != "aws":
        raise ArgumentTypeError(f"AWS documents no Launch Now address for {text}: see docs/deploy.md for other ways")
    return text


def _key(text: str) -> str:
    if not (text.isprintable() and 1 <= len(text.encode()) <= 1024):
        raise ArgumentTypeError(f"{text!r:.80} isn't an S3 key: give 1 to 1024 bytes, such as tictactoe.zip")
    return text


def _address(*, region: str, bucket: str, key: str, platform: str, **chosen: str) -> str:
    """Return the URL, built as in "Constructing a Launch Now URL" in Beanstalk's Developer Guide. Case matters."""
    # ``platform`` is an ARN without a version; it replaced ``solutionStackName``. For environmentType, the guide says
    # LoadBalancing, but the links in AWS's own tutorials say LoadBalanced, which the API accepts, too.
    parameters = {
        "applicationName": chosen["application"],
        "platform": f"arn:aws:elasticbeanstalk:{region}::platform/{platform}",
        "sourceBundleUrl": f"https://s3.amazonaws.com/{bucket}/{quote(key)}",
        "environmentType": chosen["environment_type"],
        "tierName": "WebServer",
        "instanceType": chosen["instance_type"],
    }
    fragment = urlencode(parameters, quote_via=quote)
    return f"https://console.aws.amazon.com/elasticbeanstalk/?region={region}#/newApplication?{fragment}"


# For each option: its default (None if the option is required), its check, and its help text.
_PARAMETERS: dict[str, tuple[str | None, Callable[[str], str], str]] = {
    "region": (None, _region, "the region of the bucket, the table and the environment, e.g. us-west-2"),
    "bucket": (
        None,
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        _checked(r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "an S3 bucket name"),
        "the S3 bucket that has the bundle",
    ),
    "key": ("tictactoe.zip", _key, "the bundle's key in the bucket"),
    "application": (
        "TicTacToe",
        # CreateApplication in Beanstalk's API Reference.
        _checked("[^/]{1,100}", "an application name: give 1 to 100 characters, without a slash"),
        "the application's name, which must be new in your account",
    ),
    "environment_type": (
        "SingleInstance",
        _checked("SingleInstance|LoadBalanced", "an environment type: give SingleInstance or LoadBalanced"),
        "SingleInstance, or LoadBalanced, which needs a secret_key in the bundle's configuration",
    ),
    "instance_type": (
        "t3.small",
        _checked(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "an instance type: give one such as t3.small"),
        "the EC2 instance type",
    ),
    "platform": (
        "Python 3.13 running on 64bit Amazon Linux 2023",
        _checked(r"[A-Za-z0-9.() -]{1,100}", "a platform: see `aws elasticbeanstalk list-platform-branches`"),
        "the Beanstalk platform branch; the latest version is used",
    ),
}


class Command(SiteCommand):
    help = (
        "Print the Launch Now address for a bundle in S3. It opens the Elastic Beanstalk console, where you review "
        "and launch. AWS documents the address, but has changed its console since, so check the values on the page. "
        "`eb create` and the CloudFormation template are more reliable (docs/deploy.md). The address can't set "
        "environment properties: set CONFIG_FILE=beanstalk.config once the site is up. Until then, its pages ask "
        "for it."
    )
    epilog = "Exit codes: 0 done; 2 wrong parameter."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, (default, check, explanation) in _PARAMETERS.items():
            text = f"{explanation} (default {default})" if default else explanation
            flag, shown = f"--{name.replace('_', '-')}", name.rpartition("_")[2].upper()
            parser.add_argument(flag, metavar=shown, required=not default, default=default, type=check, help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(_address(**{name: options[name] for name in _PARAMETERS}))
