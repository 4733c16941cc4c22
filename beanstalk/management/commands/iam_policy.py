from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser, DjangoHelpFormatter

from beanstalk import policy
from tictactoe_site import config
from tictactoe_site.commands import SiteCommand

HELP = """\
Print the IAM policy for the servers' role as JSON. It allows the DynamoDB actions that
the site calls and no others, on one table and its two indexes. The command sends
nothing, and needs no configuration."""

STEPS = """\
These commands create the role, its policies, and an instance profile of the same name:

  python manage.py iam_policy --trust > trust.json
  python manage.py iam_policy --account 123456789012 --region us-west-2 > policy.json
  aws iam create-role --role-name tictactoe --assume-role-policy-document file://trust.json
  aws iam put-role-policy --role-name tictactoe --policy-name table \\
      --policy-document file://policy.json
  aws iam attach-role-policy --role-name tictactoe \\
      --policy-arn arn:aws:iam::aws:policy/AWSElasticBeanstalkWebTier
  aws iam create-instance-profile --instance-profile-name tictactoe
  aws iam add-role-to-instance-profile --instance-profile-name tictactoe --role-name tictactoe

`aws sts get-caller-identity --query Account --output text` prints your account number.
AWSElasticBeanstalkWebTier is AWS's own policy: it lets an instance fetch the bundle,
report its health and upload its logs. Its ARN begins with arn:aws-cn in China, and with
arn:aws-us-gov in GovCloud.

Exit codes: 0 printed; 2 wrong configuration or parameter."""


_KINDS = {
    ("--running",): "leave out the actions that create the table, if it already exists",
    ("--inspect",): "for people who only run inspect_table, list_games and show_game",
    ("--seed", "--example"): "the AWS example's broad policy: any DynamoDB action on the table",
    ("--trust",): "the role's trust policy: it lets EC2 instances assume the role",
}


class Formatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """A formatter that keeps the line breaks of the steps, so that they can be copied."""


class Command(SiteCommand):
    help = HELP
    epilog = STEPS

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=Formatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="DIGITS", help="the table's AWS account: 12 digits")
        parser.add_argument("--region", help="the table's region, such as us-west-2 (default: the configuration's)")
        parser.add_argument("--table", metavar="NAME", help="the table (default: the configuration's, or Games)")
        kinds = parser.add_mutually_exclusive_group()
        for names, explanation in _KINDS.items():
            kinds.add_argument(*names, action="store_true", help=explanation)

    def handle(self, *args: Any, **options: Any) -> None:
        self.print_json(_document(options))


def _document(options: dict[str, Any]) -> dict[str, Any]:
    """Return the policy that the options ask for. Raises ConfigError, also for a wrong parameter."""
    if options["trust"]:
        return policy.trust(options["region"] or _configured("region", config.DEFAULT_REGION))
    if not options["account"]:
        raise config.ConfigError("The account is missing: pass its 12 digits with --account.")
    region = options["region"] or _configured("region")
    if not region:
        raise config.ConfigError("The region is missing: pass the table's region, such as --region us-west-2.")
    name = options["table"] or _configured("table", config.DEFAULT_TABLE)
    table = policy.Table(options["account"], region, name)
    if options["inspect"]:
        return policy.inspecting(table)
    if options["seed"]:
        return policy.of_the_example(table)
    return policy.site(table, creating=not options["running"])


def _configured(key: str, default: str = "") -> str:
    """Return the value in CONFIG_FILE, or the default if there is no file. Raises ConfigError if it's unreadable."""
    if settings.CONFIG:
        return str(getattr(settings.CONFIG, key))
    if settings.CONFIG_NAMED:
        raise config.ConfigError(settings.SETUP_PROBLEM)
    return default
