"""E-mail, through an SMTP server: `smtps://user:password@host` or `smtp://` with STARTTLS."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import SplitResult, unquote, urlsplit

from openai_costs.kernel.hosts import is_loopback
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.message import Message

TIMEOUT = 15.0
PORTS = {"smtp": 587, "smtps": 465}
DOMAIN = "openai-costs.invalid"
_PERMANENT = 500


def send(message: Message, address: Address) -> str:
    """Send a message to every recipient; the remark tells how many were refused."""
    server = urlsplit(address.url.get_secret_value())
    if server.scheme not in PORTS or not server.hostname:
        raise DeliveryFailed("the variable holds no smtp(s):// address", is_retryable=True)
    stage = "connect"
    try:
        with _connected(server) as smtp:
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            stage = "send"
            refused = smtp.send_message(letter(message, address))
            stage = "sent"
    except smtplib.SMTPResponseException as broken:
        raise _refusal(broken.smtp_code) from None
    except smtplib.SMTPRecipientsRefused as broken:
        raise _refusal(max(code for code, _ in broken.recipients.values())) from None
    except (OSError, smtplib.SMTPException) as broken:
        if stage == "sent":  # only the goodbye went wrong
            return ""
        said = f"the mail server is out of reach ({type(broken).__name__})"
        raise DeliveryFailed(said, is_retryable=True, may_have_arrived=stage == "send") from None
    return f"{len(refused)} of {len(address.to)} recipients were refused" if refused else ""


def letter(message: Message, address: Address) -> EmailMessage:
    """Return a message as a letter; mail programs show those of one finding together."""
    made = EmailMessage()
    made["Subject"] = message.title
    made["From"] = address.sender
    made["To"] = ", ".join(address.to)
    made["Date"] = format_datetime(address.now)
    made["Message-ID"] = f"<{message.number}@{DOMAIN}>"
    made["References"] = f"<{message.key}@{DOMAIN}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.text)
    return made


def _connected(server: SplitResult) -> smtplib.SMTP:
    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    smtp = smtplib.SMTP(host, port, timeout=TIMEOUT)
    if not is_loopback(host):
        smtp.starttls(context=context)
    return smtp


def _refusal(code: int) -> DeliveryFailed:
    """Return a refusal; the server's own words may quote addresses, so they are not passed on."""
    said = f"the mail server refused with code {code}"
    return DeliveryFailed(said, is_retryable=code < _PERMANENT)
