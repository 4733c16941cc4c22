"""AWS's regions, partitions and host names, by botocore's data, and addresses of this machine."""

import re
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from botocore.loaders import create_loader

# https://docs.aws.amazon.com/general/latest/gr/ddb.html: standard, FIPS, dual-stack, account and PrivateLink names.
_SERVICE = r"(?:[a-z0-9-]+\.)?(?:dynamodb(?:-fips)?|ddb)\.([a-z0-9-]+)\.(?:vpce\.)?"


def partition_of(region: str) -> dict[str, Any] | None:
    """Return botocore's description of the partition that names its regions like this one, or None."""
    described = (each for each in _partitions() if region.isascii() and re.fullmatch(each["regionRegex"], region))
    return next(({"id": each["id"], **each["outputs"]} for each in described), None)


def region_of(url: str | None) -> str | None:
    """Return the region in an AWS endpoint of DynamoDB, or None for any other address."""
    for suffix in _suffixes():
        match = re.fullmatch(_SERVICE + re.escape(suffix), _host(url))
        if match and partition_of(match[1]):
            return match[1]
    return None


def is_aws(url: str | None) -> bool:
    """Whether the host belongs to AWS. No URL means AWS's own endpoint."""
    return url is None or _host(url).endswith(tuple(f".{suffix}" for suffix in _suffixes()))


def is_this_machine(url: str | None) -> bool:
    host = _host(url)
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _host(url: str | None) -> str:
    return urlsplit(url or "").hostname or ""


def _suffixes() -> Iterator[str]:
    for each in _partitions():
        yield from (each["outputs"]["dnsSuffix"], each["outputs"]["dualStackDnsSuffix"])


@cache
def _partitions() -> list[dict[str, Any]]:
    partitions: list[dict[str, Any]] = create_loader().load_data("partitions")["partitions"]
    return partitions
