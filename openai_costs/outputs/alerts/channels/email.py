"""E-mail, through an SMTP server: `smtps://user:password@host` or `smtp://` with STARTTLS."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from urllib.parse import SplitResult, unquote, urlsplit

from openai_costs.kernel.hosts import is_loopback
from openai_costs.outputs.alerts.channels.channel import (
    Address,
    DeliveryFailed,
    connection_problem,
)
from openai_costs.outputs.alerts.message import Line, Message, Picture

TIMEOUT = 15.0
PORTS = {"smtp": 587, "smtps": 465}
DOMAIN = "openai-costs.invalid"
PICTURE = f"picture@{DOMAIN}"
"""The Content-ID of a picture: one a letter."""
COLORS = {"critical": "#b42318", "warning": "#b54708", "info": "#175cd3"}
_PERMANENT = 500


def send(message: Message, address: Address) -> str:
    """Send a message to every recipient; the remark says how many were refused.

    Raises:
        DeliveryFailed: The server was not reached, or refused the message.
    """
    server = urlsplit(address.url.get_secret_value())
    if server.scheme not in PORTS or not server.hostname:
        raise DeliveryFailed("the variable holds no smtp(s):// address", is_retryable=True)
    with _connected(server) as smtp:
        try:
            refused = smtp.send_message(letter(message, address))
        except smtplib.SMTPResponseException as broken:
            raise _refusal(broken.smtp_code) from None
        except smtplib.SMTPRecipientsRefused as broken:
            raise _refusal(max(code for code, _ in broken.recipients.values())) from None
        except (OSError, smtplib.SMTPException) as broken:
            reason = f"the connection broke ({type(broken).__name__}); the message may have arrived"
            raise DeliveryFailed(reason, is_retryable=True, may_have_arrived=True) from None
    return f"{len(refused)} of {len(address.to)} recipients were refused" if refused else ""


def letter(message: Message, address: Address) -> EmailMessage:
    """Return a message as plain text and HTML; mail programs group those about one finding."""
    made = EmailMessage()
    made["Subject"] = message.title
    made["From"] = address.sender
    made["To"] = ", ".join(address.to)
    made["Date"] = format_datetime(address.now)
    made["Message-ID"] = f"<{message.number}@{DOMAIN}>"
    made["References"] = f"<{message.key}@{DOMAIN}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.text)
    made.add_alternative(html(message, f"cid:{PICTURE}"), subtype="html")
    page = list(made.iter_parts())[1]
    if message.picture and isinstance(page, EmailMessage):
        # The picture belongs to the HTML: programs show it there, and not as an attachment.
        page.add_related(message.picture.png, "image", "png", cid=f"<{PICTURE}>")
    return made


def html(message: Message, source: str = "") -> str:
    """Return a message as HTML: the title, its picture, and a table row for each line.

    Args:
        message: The message.
        source: Where the picture is, if there is one: `cid:...` in a letter, `data:...` in a file.
    """
    color, picture = COLORS[message.severity], message.picture
    instead = picture.instead_of if picture else None
    rows = "\n".join(_row(line) for line in message.lines if line.label != instead)
    return (
        '<html><body style="font-family:sans-serif;font-size:14px;color:#1d2939">\n'
        f'<h2 style="font-size:16px;color:{color}">{escape(message.title)}</h2>\n'
        f"{_image(picture, source) if picture else ''}"
        f'<table cellpadding="4" style="border-collapse:collapse">\n{rows}\n</table>\n'
        "</body></html>"
    )


def _image(picture: Picture, source: str = "") -> str:
    """Return the picture with its size, which Outlook needs, and in words below."""
    width, height = picture.size
    return (
        f'<img src="{source}" width="{width}" height="{height}" alt="{escape(picture.alt)}">\n'
        f'<p style="color:#667085;margin:4px 0 16px">{escape(picture.alt)}</p>\n'
    )


def _row(line: Line) -> str:
    text = escape(line.text)
    if line.link:
        text = f'<a href="{escape(line.link)}">{text}</a>'
    if not line.label:
        return f'<tr><th colspan="2" align="left" style="padding-top:16px">{text}</th></tr>'
    if line.label == "Details" and line.text.startswith(("https://", "http://")):
        text = f'<a href="{text}">{text}</a>'
    label = f'<td valign="top" style="color:#667085">{escape(line.label)}</td>'
    return f"<tr>{label}<td>{text}</td></tr>"


@contextmanager
def _connected(server: SplitResult) -> Iterator[smtplib.SMTP]:
    """Connect, encrypt and log in; an error of the goodbye afterwards does not matter.

    Raises:
        DeliveryFailed: One of them failed, so nothing was sent.
    """
    smtp = _opened(server)
    try:
        if not isinstance(smtp, smtplib.SMTP_SSL) and not is_loopback(server.hostname):
            _encrypt(smtp)
        if server.username:
            _log_in(smtp, unquote(server.username), unquote(server.password or ""))
        yield smtp
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _opened(server: SplitResult) -> smtplib.SMTP:
    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    try:
        if server.scheme == "smtp":
            return smtplib.SMTP(host, port, timeout=TIMEOUT)
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=_tls())
    except smtplib.SMTPResponseException as broken:
        raise _refusal(broken.smtp_code) from None
    except (OSError, smtplib.SMTPException) as broken:
        raise _no_connection(broken) from None


def _tls() -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def _encrypt(smtp: smtplib.SMTP) -> None:
    try:
        smtp.starttls(context=_tls())
    except smtplib.SMTPNotSupportedError:
        reason = (
            "the mail server offers no STARTTLS, so the message would travel in clear text: "
            "use smtps://, or a port that offers STARTTLS"
        )
        raise DeliveryFailed(reason, is_retryable=True) from None
    except smtplib.SMTPResponseException as broken:
        raise _refusal(broken.smtp_code) from None
    except (OSError, smtplib.SMTPException) as broken:
        raise _no_connection(broken) from None


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    try:
        smtp.login(user, password)
    except smtplib.SMTPAuthenticationError as broken:
        reason = f"the mail server refused the user name or password (code {broken.smtp_code})"
        raise DeliveryFailed(reason, is_retryable=True) from None
    except smtplib.SMTPNotSupportedError:
        reason = "the mail server offers no login: remove user and password from the address"
        raise DeliveryFailed(reason, is_retryable=True) from None
    except smtplib.SMTPResponseException as broken:
        raise _refusal(broken.smtp_code) from None
    except (OSError, smtplib.SMTPException) as broken:
        raise _no_connection(broken) from None


def _no_connection(broken: Exception) -> DeliveryFailed:
    reason = f"no connection to the mail server: {connection_problem(broken)}"
    return DeliveryFailed(reason, is_retryable=True)


def _refusal(code: int) -> DeliveryFailed:
    """Return a refusal; the server's own text may quote addresses, so it is left out."""
    reason = f"the mail server refused the message with code {code}"
    return DeliveryFailed(reason, is_retryable=code < _PERMANENT)
