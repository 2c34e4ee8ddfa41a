"""
Why there is no response, or no more of one: by the cases of ``wasi:http/types.error-code``.

Source: WASI 0.2 ``wasi:http/types``; which case stands for what: RFC 9209, section 2.3.
"""

from __future__ import annotations

import errno
import re
import ssl
from typing import Final

import h11

from golem_host.net.sockets import NetError
from golem_oplog.values import Variant


class HttpError(Exception):
    """``code`` is a case of ``error-code``, ``payload`` what it carries in public form."""

    def __init__(self, code: str, payload: object = None, *, why: str = "") -> None:
        super().__init__(why or code.replace("-", " "))
        self.code = code
        self.payload = payload

    def public(self) -> Variant:
        return Variant(self.code, self.payload)


def internal(text: str) -> HttpError:
    return HttpError("internal-error", text, why=text)


_BY_NUMBER: Final = {
    errno.ECONNREFUSED: "connection-refused",
    errno.ETIMEDOUT: "connection-timeout",
    errno.ENETUNREACH: "destination-IP-unroutable",
    errno.EHOSTUNREACH: "destination-IP-unroutable",
    errno.ENETDOWN: "destination-IP-unroutable",
    errno.EADDRNOTAVAIL: "destination-IP-unroutable",
    errno.EACCES: "destination-IP-prohibited",
    errno.EPERM: "destination-IP-prohibited",
    errno.EMFILE: "connection-limit-reached",
    errno.ENFILE: "connection-limit-reached",
    errno.ENOBUFS: "connection-limit-reached",
    errno.ECONNRESET: "connection-terminated",
    errno.EPIPE: "connection-terminated",
    errno.ECONNABORTED: "connection-terminated",
}

_ALERT: Final = re.compile(r"(?:SSLV3|TLSV1|TLSV11|TLSV12|TLSV13)_ALERT_(\w+)")
_ALERT_IDS: Final = {
    "UNEXPECTED_MESSAGE": 10,
    "BAD_RECORD_MAC": 20,
    "RECORD_OVERFLOW": 22,
    "HANDSHAKE_FAILURE": 40,
    "NO_CERTIFICATE": 41,
    "BAD_CERTIFICATE": 42,
    "UNSUPPORTED_CERTIFICATE": 43,
    "CERTIFICATE_REVOKED": 44,
    "CERTIFICATE_EXPIRED": 45,
    "CERTIFICATE_UNKNOWN": 46,
    "ILLEGAL_PARAMETER": 47,
    "UNKNOWN_CA": 48,
    "ACCESS_DENIED": 49,
    "DECODE_ERROR": 50,
    "DECRYPT_ERROR": 51,
    "PROTOCOL_VERSION": 70,
    "INSUFFICIENT_SECURITY": 71,
    "INTERNAL_ERROR": 80,
    "USER_CANCELLED": 90,
    "NO_RENEGOTIATION": 100,
    "MISSING_EXTENSION": 109,
    "UNSUPPORTED_EXTENSION": 110,
    "UNRECOGNIZED_NAME": 112,
    "CERTIFICATE_REQUIRED": 116,
    "NO_APPLICATION_PROTOCOL": 120,
}
"""RFC 8446, appendix B.2, by the names of OpenSSL."""

_LOOKUPS: Final = {
    "name-unresolvable": "NXDOMAIN",
    "temporary-resolver-failure": "SERVFAIL",
}
_TOO_LARGE: Final = 431
_CODING: Final = 501


def of_connecting(error: OSError) -> HttpError:
    """Why there is no connection."""
    if isinstance(error, ssl.SSLError):
        return of_tls(error)
    otherwise = "connection-terminated" if isinstance(error, ConnectionError) else ""
    code = _BY_NUMBER.get(error.errno or 0, otherwise or "destination-unavailable")
    return HttpError(code, why=str(error))


def of_tls(error: ssl.SSLError) -> HttpError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return HttpError("TLS-certificate-error", why=error.verify_message)
    alert = _ALERT.fullmatch(error.reason or "")
    if alert is None:
        return HttpError("TLS-protocol-error", why=str(error))
    payload = {
        "alert-id": _ALERT_IDS.get(alert[1]),
        "alert-message": alert[1].lower().replace("_", " "),
    }
    return HttpError("TLS-alert-received", payload, why=str(error))


def of_lookup(error: NetError) -> HttpError:
    payload = {"rcode": _LOOKUPS.get(error.code, "FORMERR"), "info-code": None}
    return HttpError("DNS-error", payload, why=str(error))


def of_response(error: OSError | h11.RemoteProtocolError, *, has_begun: bool) -> HttpError:
    """Why a response cannot be read any further; ``has_begun`` once something of it was there."""
    if isinstance(error, ssl.SSLError):
        return of_tls(error)
    if isinstance(error, OSError):
        code = "HTTP-response-incomplete" if has_begun else "connection-terminated"
        return HttpError(code, why=str(error))
    if error.error_status_hint == _CODING:
        return HttpError("HTTP-response-transfer-coding", None, why=str(error))
    return HttpError("HTTP-protocol-error", why=str(error))
