"""Why no answer came: low-level network errors as `Unreachable`, named and with a next step."""

from __future__ import annotations

import errno
import socket
import ssl

import aiohttp

from gitops_ocm.kube.cluster import Unreachable


class Interrupted(Unreachable):
    """The connection broke after the request was sent: it may or may not have been carried out."""


_BY_ERRNO = {
    errno.ECONNREFUSED: ("connection refused", "Is the API server running, and is the port right?"),
    errno.EHOSTUNREACH: ("no route to host", "Check the network, the VPN and the firewall."),
    errno.ENETUNREACH: ("network is unreachable", "Check the network and the VPN."),
    errno.ETIMEDOUT: ("the connection timed out", "Check the network and the firewall."),
    errno.ECONNRESET: ("the connection was reset", ""),
    errno.EPIPE: ("the connection was closed", ""),
    errno.EMFILE: ("too many open files", "Raise the limit of open files (ulimit -n)."),
}


def unreachable(error: BaseException, server: str) -> Unreachable:
    """What `error`, met while talking to `server`, says to a person."""
    cause, hint, sent = _explained(error)
    kind = Interrupted if sent else Unreachable
    return kind(f"{server} cannot be reached: {cause}", hint=hint)


def _explained(error: BaseException) -> tuple[str, str, bool]:
    """(cause, hint, whether the request may have arrived)."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host name {error.host} is not known", "Check the server's name and the DNS.", False
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return *_certificate(error.certificate_error), False
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return *_tls(error.os_error), False
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {error.host}:{error.port} does not answer", "Check proxy-url.", False
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status}", "Check proxy-url.", False
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return *_BY_ERRNO[errno.ETIMEDOUT], False
    if isinstance(error, aiohttp.ClientConnectorError):
        return *_os_error(error.os_error), False
    if isinstance(error, TimeoutError):
        return "no answer in time", "The server may be overloaded, or the network slow.", True
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection", "", True
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer was cut off", "", True
    if isinstance(error, OSError):
        return *_os_error(error), True
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, "", True


def _os_error(error: OSError) -> tuple[str, str]:
    if isinstance(error, socket.gaierror):
        return "the host name is not known", "Check the server's name and the DNS."
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    # Several addresses tried (happy eyeballs) give one error whose text lists them all.
    for code, (cause, hint) in _BY_ERRNO.items():
        if error.errno == code or f"[Errno {code}]" in str(error):
            return cause, hint
    return error.strerror or str(error) or type(error).__name__, ""


def _certificate(error: Exception) -> tuple[str, str]:
    text = getattr(error, "verify_message", "") or str(error)
    lowered = text.lower()
    if "expired" in lowered:
        return "its certificate has expired", "Renew the server's certificate, or check this machine's clock."
    if "not yet valid" in lowered:
        return "its certificate is not valid yet", "Check this machine's clock."
    if "mismatch" in lowered or "doesn't match" in lowered or "not valid for" in lowered:
        return (
            f"its certificate is for another name ({text})",
            "Use a server name that the certificate has, or set tls-server-name in the kubeconfig.",
        )
    if "self-signed" in lowered or "self signed" in lowered or "local issuer" in lowered:
        return (
            f"its certificate is not signed by the expected authority ({text})",
            "Check certificate-authority-data in the kubeconfig: the server may have been set up anew.",
        )
    return f"its certificate was refused ({text})", "Check certificate-authority-data in the kubeconfig."


def _tls(error: Exception) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error)
    text = getattr(error, "reason", None) or str(error)
    if "WRONG_VERSION_NUMBER" in str(text) or "HTTP_REQUEST" in str(text):
        return "it does not speak TLS", "Should the server's URL begin with http://?"
    if "CERTIFICATE" in str(text):
        return (
            f"it refused our certificate ({text})",
            "The client certificate may have expired; log in again.",
        )
    return f"the TLS handshake failed ({text})", ""
