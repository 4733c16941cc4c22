"""Sentences for the operator: why a call failed, and what to do. They're public: no account number, no role, no ARN."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as boto
from pynamodb.exceptions import PynamoDBException
from urllib3.exceptions import NameResolutionError

from dynamodb.errors import NotAllowed, Rejected, StoreUnavailable
from dynamodb.items import TableItem, where
from dynamodb.replies import NotDynamoDB
from dynamodb.retries import NothingAnswers, OutOfTime

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html, and the older names.
REFUSED = ("AccessDeniedException", "AccessDenied", "NotAuthorized", "UnauthorizedOperation")
THROTTLED = ("ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "Throttling")
NOT_ACCEPTED = (
    *("UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch"),
    *("IncompleteSignatureException", "MissingAuthenticationTokenException", "OptInRequired"),
)
CREDENTIALS_UNREADABLE = (
    *(boto.CredentialRetrievalError, boto.InvalidConfigError, boto.MetadataRetrievalError, boto.ProfileNotFound),
    *(boto.PartialCredentialsError, boto.SSOError, boto.TokenRetrievalError),
)
# The clock source of every EC2 instance, in any region:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-ec2-ntp.html
SET_THE_CLOCK = "set the clock with NTP (on EC2: systemctl status chronyd)"
EXPIRED = f"The AWS credentials arrived already expired: renew them, or {SET_THE_CLOCK}."


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn any error of PynamoDB or botocore in the block into StoreUnavailable, with advice for the operator."""
    try:
        yield
    except PynamoDBException as exc:
        raise explained(exc.cause or exc) from exc
    except (boto.BotoCoreError, boto.ClientError) as exc:
        raise explained(exc) from exc
    except RuntimeError as exc:
        if "still expired" not in str(exc):  # botocore raises a plain RuntimeError for this
            raise
        raise StoreUnavailable(EXPIRED) from exc


def explained(exc: Exception) -> StoreUnavailable:
    """Return the exception to raise for a botocore error: NotAllowed if a policy refuses the action, for example."""
    match exc:
        case NothingAnswers():
            return explained(exc.kwargs["latest"])
        case boto.ClientError():
            kinds = dict.fromkeys(REFUSED, NotAllowed) | {"ValidationException": Rejected}
            return kinds.get(_code(exc), StoreUnavailable)(_public(_answer(exc)))
    return StoreUnavailable(_public(_silence(exc)))


def absent() -> str:
    """Return the sentence for a missing table, with the possible causes."""
    meta = TableItem.Meta
    return f"{where()} has no table {meta.table_name}: {meta.advice.make_table}, or {meta.advice.correct_table}."


def _silence(exc: Exception) -> str:
    endpoint = where()
    match exc:
        case boto.NoCredentialsError():
            return "There are no AWS credentials: give the instance a profile, or run aws configure on a laptop."
        case _ if isinstance(exc, CREDENTIALS_UNREADABLE):
            return f"The AWS credentials can't be read: {_closed(exc)}"
        case boto.ConnectTimeoutError() | boto.ReadTimeoutError() | OutOfTime():
            return f"{endpoint} didn't answer in time."
        case boto.EndpointConnectionError() if isinstance(exc.kwargs.get("error"), NameResolutionError):
            return f"{endpoint} has no address in DNS: {TableItem.Meta.advice.correct_endpoint}."
        case boto.EndpointConnectionError():
            return f"{endpoint} can't be reached: nothing accepts connections there."
        case boto.SSLError():
            return _tls(exc.kwargs["error"].args[0])
        case boto.ProxyConnectionError() | NotDynamoDB():
            return _intercepted(exc)
        case _:
            return f"{endpoint} didn't answer: {_closed(exc)}"


def _tls(error: Exception) -> str:
    what = f"The TLS connection to {where()} failed"
    if "X509" in str(error) or (isinstance(error, OSError) and not isinstance(error, ssl.SSLError)):
        return f"The certificates in AWS_CA_BUNDLE can't be read ({_last(error)}): correct its path."
    if re.search(r"doesn't match|not valid for", str(error)):
        return f"{what}, because its certificate is for another host: {TableItem.Meta.advice.correct_endpoint}."
    if "certificate" in str(error):
        advice = "set AWS_CA_BUNDLE to the certificates of your network's authority"
        return f"{what}, because its certificate isn't trusted ({_last(error)}): {advice}."
    return f"{what} ({_last(error)}): for DynamoDB Local, write http:// before the endpoint."


def _intercepted(exc: Any) -> str:
    if isinstance(exc, boto.ProxyConnectionError):
        what = f"The proxy {exc.kwargs['proxy_url']} doesn't lead to {where()} ({_last(exc.kwargs['error'])})"
        return f"{what}: correct HTTPS_PROXY, or name the host in NO_PROXY."
    what = f"Something else than DynamoDB answers at {where()} (HTTP status {exc.kwargs['status']})"
    return f"{what}, such as a proxy or a captive portal: {TableItem.Meta.advice.correct_endpoint}."


def _last(error: Exception) -> str:
    """Return the part of an error's message that says why, such as "certificate has expired"."""
    return re.sub(r"\[[^]]*\] | \(_ssl.*|['\")]+$", "", str(error)).rpartition(": ")[2]


def _answer(exc: boto.ClientError) -> str:
    endpoint = where()
    code, message = _code(exc), str(exc.response.get("Error", {}).get("Message", ""))
    match code:
        case _ if code in REFUSED:
            return _refusal(exc, message)
        case _ if code == "RequestExpired" or _OUT_OF_TIME.search(message):
            return f"This server's clock is wrong, so {endpoint} refuses its requests: {SET_THE_CLOCK}."
        case "ExpiredTokenException" | "ExpiredToken":
            return f"{endpoint} rejects these credentials ({code}): they've expired, so renew them."
        case _ if code in NOT_ACCEPTED:
            what = f"{endpoint} rejects these credentials ({code}): renew or correct them"
            # A region that isn't enabled for the account rejects its credentials with the same error.
            return f"{what}, or enable the region for the account."
        case _ if code in THROTTLED:
            return _throttling(exc)
        case "ResourceNotFoundException":
            return absent()
        case "LimitExceededException":
            return f"The account has too many tables or table changes at {endpoint}: wait, or raise the quota."
    return f"{endpoint} answered {code}: {message}"


# The messages of InvalidSignatureException that mean a wrong clock.
_OUT_OF_TIME = re.compile(r"Signature (expired|not yet current)")


def _throttling(exc: boto.ClientError) -> str:
    if exc.operation_name.endswith(("Table", "TimeToLive", "Backups")):
        return f"{where()} is throttling {exc.operation_name}: wait a minute, and try again."
    if _code(exc) == "RequestLimitExceeded":
        return f"{where()} is throttling the whole account: wait, or raise its quota."
    # PynamoDB leaves the reasons out of its own error.
    answer = str(getattr(exc.__cause__, "response", exc.response))
    named = re.search(r"/index/([\w.-]+)", answer)
    index = f"the index {named[1]}" if named else "an index" if re.search(r"(?<!or )\bindex", answer) else ""
    what = f"{index} of the table" if index else "the table"
    return f"{where()} is throttling requests to {what} {TableItem.Meta.table_name}: raise its capacity or wait."


# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_DENY = re.compile(r"explicit deny in an? ([\w -]*?(?:policy|boundary))")
_NO_ALLOW = re.compile(r"because no ((?!identity-based)[\w -]*?(?:policy|boundary)) allows")


def _refusal(exc: boto.ClientError, message: str) -> str:
    named = re.search(r"\b(?:dynamodb|kms):\w+", message)
    what = f"{where()} refuses {named[0] if named else f'dynamodb:{exc.operation_name}'}"
    if denied := _DENY.search(message):
        return f"{what}: remove the deny from the {denied[1]}."
    if missing := _NO_ALLOW.search(message):
        return f"{what}: allow it in the {missing[1]}."
    return f"{what}: {TableItem.Meta.advice.allow_action}."


def _code(exc: boto.ClientError) -> str:
    """Return the error code. If an older service or proxy answers with XML, botocore doesn't parse it, so we do."""
    error = exc.response.get("Error", {})
    written = re.search(r"<Code>(\w+)</Code>", str(error.get("Message", "")))
    return written[1] if written else str(error.get("Code", ""))


def _closed(exc: Exception) -> str:
    """Return botocore's own message on one line, ending in one full stop."""
    return f"{' '.join(str(exc).split()).rstrip('.')}."


def _public(sentence: str) -> str:
    return re.sub(r"\b\d{12}\b", "(a number)", re.sub(r"\barn:\S+", "(an ARN)", sentence))
