"""The CloudFormation template is valid, and agrees with the code and with the output of ``iam_policy``."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint_file  # type: ignore[import-untyped]

from beanstalk import policy
from dynamodb import schema
from dynamodb.items import TableItem
from tests.support.cloudformation import CHINA, PATH, Stack, written
from tests.support.iam import ACCOUNT, REGION
from tictactoe_site.config import BASE_DIR, DEFAULT_TABLE, MINIMUM_SECRET_LENGTH
from tictactoe_site.table import TTL_ATTRIBUTE

pytestmark = pytest.mark.deployment

LOAD_BALANCED = {"EnvironmentType": "LoadBalanced"}
HTTPS = LOAD_BALANCED | {"Certificate": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-abcd"}
KINDS: tuple[dict[str, str], ...] = ({}, LOAD_BALANCED, HTTPS)
# Namespaces in use, with their options, from "General options for all environments" in the Developer Guide.
OPTIONS = {
    "aws:autoscaling:asg": {"MinSize", "MaxSize"},
    "aws:autoscaling:launchconfiguration": {"IamInstanceProfile", "DisableIMDSv1"},
    "aws:ec2:instances": {"InstanceTypes"},
    "aws:elasticbeanstalk:application:environment": {"CONFIG_FILE"},
    "aws:elasticbeanstalk:application:environmentsecrets": {"SECRET_KEY"},
    "aws:elasticbeanstalk:environment": {"EnvironmentType", "LoadBalancerType", "ServiceRole"},
    "aws:elasticbeanstalk:healthreporting:system": {"SystemType", "ConfigDocument"},
    "aws:elasticbeanstalk:managedactions": {"ServiceRoleForManagedUpdates"},
    "aws:elbv2:listener:443": {"ListenerEnabled", "Protocol", "SSLCertificateArns", "SSLPolicy"},
}


def options(**parameters: str) -> dict[tuple[str, str], Any]:
    settings = Stack(**parameters).properties("Environment")["OptionSettings"]
    names = Counter((setting["Namespace"], setting["OptionName"]) for setting in settings)
    assert set(names.values()) == {1}, names
    return {(setting["Namespace"], setting["OptionName"]): setting["Value"] for setting in settings}


def role_policies(**parameters: str) -> dict[str, Any]:
    policies = Stack(**parameters).properties("ServerRole")["Policies"]
    return {each["PolicyName"]: each["PolicyDocument"] for each in policies}


@pytest.fixture
def games_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TableItem.Meta, "table_name", DEFAULT_TABLE)


def test_template_passes_cfn_lint() -> None:
    regions = ["us-west-2", "eu-central-1", "us-gov-west-1", "cn-north-1"]
    found = lint_file(PATH, config=ManualArgs(include_checks=["I"], regions=regions))
    assert [str(match) for match in found] == []


# The role.


@pytest.mark.parametrize("table", ["Games", "Matches.2"])
def test_server_role_has_policy_that_iam_policy_prints(table: str) -> None:
    assert role_policies(TableName=table)["table"] == policy.site(policy.Table(ACCOUNT, REGION, table), creating=False)
    assert role_policies(TableName=table, CreateTable="no")["table"] == role_policies(TableName=table)["table"]


def test_server_role_matches_printed_policies_in_china() -> None:
    in_china = policy.Table(ACCOUNT, "cn-north-1", "Games")
    assert role_policies(**CHINA)["table"] == policy.site(in_china, creating=False)
    for place, region in ((CHINA, "cn-north-1"), ({}, REGION)):
        assert Stack(**place).properties("ServerRole")["AssumeRolePolicyDocument"] == policy.trust(region)


def test_server_role_reads_only_its_secret_and_bundle() -> None:
    stack = Stack(Bucket="bundles", Key="releases/site-2.zip")
    others = role_policies(Bucket="bundles", Key="releases/site-2.zip")
    del others["table"]
    assert [statement for document in others.values() for statement in document["Statement"]] == [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "SecretKey"}},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bundles/releases/site-2.zip"},
    ]
    managed = stack.properties("ServerRole")["ManagedPolicyArns"]
    assert managed == ["arn:aws:iam::aws:policy/AWSElasticBeanstalkWebTier"]
    assert stack.properties("ServerProfile")["Roles"] == [{"Ref": "ServerRole"}]


def test_only_beanstalk_can_assume_service_role() -> None:
    role = Stack().properties("ServiceRole")
    [trusted] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "elasticbeanstalk.amazonaws.com"}
    assert trusted["Condition"] == {"StringEquals": {"sts:ExternalId": "elasticbeanstalk"}}
    assert role["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/service-role/AWSElasticBeanstalkEnhancedHealth",
        "arn:aws:iam::aws:policy/AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy",
    ]
    found = options()
    assert found["aws:elasticbeanstalk:environment", "ServiceRole"] == {"Ref": "ServiceRole"}
    assert found["aws:elasticbeanstalk:managedactions", "ServiceRoleForManagedUpdates"] == {"Ref": "ServiceRole"}


# The table.


@pytest.mark.usefixtures("games_named")
def test_table_matches_schema() -> None:
    table = Stack().properties("Table")
    assert table.pop("TimeToLiveSpecification") == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}
    assert table.pop("PointInTimeRecoverySpecification") == {"PointInTimeRecoveryEnabled": True}
    assert table.pop("DeletionProtectionEnabled") is True
    assert table == schema.request()


def test_table_is_retained_unless_keep_table_is_no() -> None:
    def fate(**parameters: str) -> tuple[str, str, bool]:
        table = Stack(**parameters).resources["Table"]
        protected = table["Properties"]["DeletionProtectionEnabled"]
        return table["DeletionPolicy"], table["UpdateReplacePolicy"], protected

    assert fate() == ("Retain", "Retain", True)
    # DynamoDB refuses to delete a table that is still protected.
    assert fate(KeepTable="no") == ("Delete", "Delete", False)


def test_existing_table_stays_outside_stack() -> None:
    stack = Stack(CreateTable="no")
    assert stack.of_type("DynamoDB::Table") == {}
    assert "Games" in stack.properties("Environment")["Description"]


def test_environment_depends_on_table() -> None:
    assert "{'Ref': 'Table'}" in Stack().properties("Environment")["Description"]


# The environment.


@pytest.mark.parametrize("kind", KINDS)
def test_option_settings_are_valid_beanstalk_options(kind: dict[str, str]) -> None:
    for (namespace, name), value in options(**kind).items():
        assert name in OPTIONS[namespace]
        assert isinstance(value, str | dict), name


def test_single_instance_has_no_load_balancer_options() -> None:
    single = options()
    assert single["aws:elasticbeanstalk:environment", "EnvironmentType"] == "SingleInstance"
    assert single["aws:autoscaling:asg", "MinSize"] == single["aws:autoscaling:asg", "MaxSize"] == "1"
    assert not [each for each in single if each[0].startswith("aws:elbv2") or each[1] == "LoadBalancerType"]


def test_load_balanced_environment_has_alb_and_two_servers() -> None:
    balanced = options(**LOAD_BALANCED)
    assert balanced["aws:elasticbeanstalk:environment", "LoadBalancerType"] == "application"
    assert (balanced["aws:autoscaling:asg", "MinSize"], balanced["aws:autoscaling:asg", "MaxSize"]) == ("2", "4")
    assert not [each for each in balanced if each[0].startswith("aws:elbv2")]


def test_certificate_adds_https_listener_and_requires_load_balancer() -> None:
    listener = {name: value for (space, name), value in options(**HTTPS).items() if space == "aws:elbv2:listener:443"}
    assert listener.pop("SSLPolicy").startswith("ELBSecurityPolicy-TLS13-")
    assert listener == {
        "ListenerEnabled": "true",
        "Protocol": "HTTPS",
        "SSLCertificateArns": HTTPS["Certificate"],
    }
    assert Stack().refuses() == Stack(**HTTPS).refuses() == []
    assert "LoadBalanced" in Stack(Certificate=HTTPS["Certificate"]).refuses()[0]


def test_servers_share_a_generated_secret() -> None:
    assert options()["aws:elasticbeanstalk:application:environmentsecrets", "SECRET_KEY"] == {"Ref": "SecretKey"}
    generated = Stack().properties("SecretKey")["GenerateSecretString"]
    assert generated["PasswordLength"] >= MINIMUM_SECRET_LENGTH
    assert "SecretString" not in Stack().properties("SecretKey")


def test_servers_have_config_file_and_role_but_no_imdsv1() -> None:
    found = options(ConfigFile="other.config")
    assert found["aws:elasticbeanstalk:application:environment", "CONFIG_FILE"] == "other.config"
    assert found["aws:autoscaling:launchconfiguration", "IamInstanceProfile"] == {"Ref": "ServerProfile"}
    assert found["aws:autoscaling:launchconfiguration", "DisableIMDSv1"] == "true"
    assert (BASE_DIR / options()["aws:elasticbeanstalk:application:environment", "CONFIG_FILE"]).exists()


def test_platform_is_a_branch_or_its_version() -> None:
    branch = "arn:aws:elasticbeanstalk:us-west-2::platform/Python 3.13 running on 64bit Amazon Linux 2023"
    assert Stack().properties("Environment")["PlatformArn"] == branch
    allowed = re.compile(written()["Parameters"]["Platform"]["AllowedPattern"])
    for name in (
        "Python 3.13 running on 64bit Amazon Linux 2023",
        "Python 3.12 running on 64bit Amazon Linux 2023/4.9.0",
    ):
        assert allowed.fullmatch(name)
    assert not allowed.fullmatch("64bit Amazon Linux 2023 v4.9.0 running Python 3.13")


# The alarms.


@pytest.mark.parametrize("kind", KINDS)
def test_alarms_watch_published_metrics(kind: dict[str, str]) -> None:
    """Beanstalk publishes EnvironmentHealth by default, and other metrics on request."""
    document = json.loads(options(**kind)["aws:elasticbeanstalk:healthreporting:system", "ConfigDocument"])
    published = {"EnvironmentHealth", *document["CloudWatchMetrics"]["Environment"]}
    alarms = Stack(**kind).of_type("CloudWatch::Alarm").values()
    own = [alarm for alarm in alarms if alarm.get("Namespace") == "AWS/ElasticBeanstalk"]
    assert {alarm["MetricName"] for alarm in own} == published
    assert {"ApplicationRequests5xx", "ApplicationLatencyP95"} <= published
    assert all(alarm["Dimensions"] == [{"Name": "EnvironmentName", "Value": {"Ref": "Environment"}}] for alarm in own)


@pytest.mark.usefixtures("games_named")
def test_throttle_alarms_cover_table_and_indexes_and_recover() -> None:
    watched = set()
    for alarm in Stack().of_type("CloudWatch::Alarm").values():
        if "Metrics" in alarm:
            throttled, filled = alarm["Metrics"]
            assert filled["Expression"] == f"FILL({throttled['Id']}, 0)"
            metric = throttled["MetricStat"]["Metric"]
            watched.add((metric["MetricName"], *(dimension["Value"] for dimension in metric["Dimensions"])))
    indexes = [index["IndexName"] for index in schema.request()["GlobalSecondaryIndexes"]]
    kinds = ("ReadThrottleEvents", "WriteThrottleEvents")
    assert watched == {
        *((kind, "Games") for kind in kinds),
        *((kind, "Games", index) for kind in kinds for index in indexes),
    }


def test_alarms_notify_given_email_only() -> None:
    named = Stack(AlarmEmail="operator@example.com")
    assert named.properties("AlarmTopic")["Subscription"] == [{"Protocol": "email", "Endpoint": "operator@example.com"}]
    alarms = named.of_type("CloudWatch::Alarm").values()
    assert len(alarms) == 9
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms)
    nobody = Stack()
    assert "AlarmTopic" not in nobody.resources
    assert not [alarm for alarm in nobody.of_type("CloudWatch::Alarm").values() if "AlarmActions" in alarm]


# What the operator sees.


def test_every_parameter_has_description_and_group() -> None:
    template = written()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert all(parameter["Description"].endswith((".", "SUBDOMAIN")) for parameter in template["Parameters"].values())


def test_defaults_match_allowed_patterns() -> None:
    parameters = written()["Parameters"]
    checked = {name: each for name, each in parameters.items() if {"AllowedPattern", "Default"} <= each.keys()}
    assert checked
    for name, parameter in checked.items():
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"]), name


def test_header_command_names_parameters_without_default() -> None:
    head = PATH.read_text().partition("AWSTemplateFormatVersion")[0]
    named = set(re.findall(r"(\w+)=[A-Z]+", head))
    assert named == {name for name, parameter in written()["Parameters"].items() if "Default" not in parameter}


def test_outputs_name_site_table_and_role() -> None:
    outputs = Stack(TableName="Matches").resolve(written()["Outputs"])
    assert outputs["Site"]["Value"] == "http://play.us-west-2.elasticbeanstalk.com/"
    china = Stack(**CHINA).resolve(written()["Outputs"])
    assert china["Site"]["Value"] == "http://play.cn-north-1.eb.amazonaws.com.cn/"
    assert outputs["TableName"]["Value"] == "Matches"
    assert outputs["ServerRole"]["Value"] == {"Fn::GetAtt": ["ServerRole", "Arn"]}
