from __future__ import annotations

import smtplib
import ssl
from dataclasses import replace
from email import message_from_string
from email.message import EmailMessage
from email.policy import default

import pytest
from pydantic import SecretStr

from openai_costs.outputs.alerts.channels import email
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.digest import digest
from openai_costs.outputs.alerts.message import Addresses, Picture, message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import Mailbox, closed_port, mailbox

MADE = message(finding(), change(), SPIKE)
SENDER = "costs@acme.example"


def to(url: str, *people: str) -> Address:
    return Address(
        "mail", NOW, SecretStr(url), sender=SENDER, to=people or ("finops@acme.example",)
    )


def failure(box: Mailbox, *people: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        email.send(MADE, to(box.url, *people))
    assert "@" not in str(failed.value)
    return failed.value


def test_a_letter_arrives_with_a_subject_both_texts_and_a_number_that_identifies_repetitions() -> (
    None
):
    with mailbox() as box:
        assert email.send(MADE, to(box.url)) == ""
    letter = message_from_string(box.letters[0], _class=EmailMessage, policy=default)
    assert letter["Subject"] == MADE.title
    assert letter["To"] == "finops@acme.example"
    assert letter["Message-ID"] == "<f1a2b3c4d5e6-1@openai-costs.invalid>"
    assert letter["References"] == "<f1a2b3c4d5e6@openai-costs.invalid>"
    plain, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "Owner: data-platform" in plain.get_content()
    assert "<td>data-platform</td>" in html.get_content()


def test_one_refused_recipient_of_two_is_counted_without_the_address() -> None:
    with mailbox() as box:
        remark = email.send(MADE, to(box.url, "ada@acme.example", "refused@acme.example"))
        assert len(box.letters) == 1
    assert remark == "1 of 2 recipients were refused"


def test_all_recipients_refused_is_final() -> None:
    with mailbox() as box:
        assert not failure(box, "refused@acme.example").is_retryable


def test_a_temporary_refusal_is_retried_and_a_permanent_one_is_not() -> None:
    with mailbox() as box:
        box.refuses_data = 451
        assert failure(box).is_retryable
        box.refuses_data = 554
        assert not failure(box).is_retryable


def test_a_server_that_hangs_up_may_have_taken_it() -> None:
    with mailbox() as box:
        box.hangs_up = True
        failed = failure(box)
    assert (failed.is_retryable, failed.may_have_arrived) == (True, True)


def test_a_server_out_of_reach_has_not_taken_it() -> None:
    failed = failure(Mailbox(f"smtp://127.0.0.1:{closed_port()}"))
    assert "it refuses connections on this port" in str(failed)
    assert (failed.is_retryable, failed.may_have_arrived) == (True, False)


def test_a_server_without_starttls_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "is_loopback", lambda _host: False)
    with mailbox() as box:
        failed = failure(box)
        assert box.letters == []
    assert str(failed).startswith("the mail server offers no STARTTLS")
    assert (failed.is_retryable, failed.may_have_arrived) == (True, False)


def test_a_certificate_that_is_not_trusted_is_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def starttls(_smtp: object, **_options: object) -> None:
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "self-signed certificate"
        raise error

    monkeypatch.setattr(email, "is_loopback", lambda _host: False)
    monkeypatch.setattr(smtplib.SMTP, "starttls", starttls)
    with mailbox() as box:
        failed = str(failure(box))
    assert failed == (
        "no connection to the mail server: its certificate is not trusted (self-signed certificate)"
    )


def test_a_server_that_does_not_speak_tls_is_named_as_the_cause() -> None:
    with mailbox() as box:
        failed = str(failure(Mailbox(box.url.replace("smtp://", "smtps://"))))
    assert failed == "no connection to the mail server: it does not speak TLS on this port"


def test_a_server_that_offers_no_login_is_named_as_the_cause() -> None:
    with mailbox() as box:
        failed = str(failure(Mailbox(box.url.replace("smtp://", "smtp://ada:pa55word@"))))
    assert failed == ("the mail server offers no login: remove user and password from the address")


def test_html_escapes_names_and_links_only_the_details() -> None:
    made = message(
        finding(owner="<b>&"), change(), SPIKE, at=Addresses(dagster="https://d.example/?a=1")
    )
    shown = email.html(made)
    assert "<td>&lt;b&gt;&amp;</td>" in shown
    assert shown.count("<a href=") == 1


def test_the_html_of_a_digest_has_a_heading_for_each_finding() -> None:
    shown = email.html(digest("mail", [MADE]))
    assert f'<th colspan="2" align="left" style="padding-top:16px">{MADE.title}</th>' in shown


@pytest.mark.parametrize("url", ["https://mail.example", "smtp://", "mail.example:25"])
def test_an_address_that_is_not_smtp_is_named_as_the_cause(url: str) -> None:
    assert "smtp(s)://" in str(failure(Mailbox(url)))


def test_a_picture_is_inside_the_html_and_takes_the_place_of_its_text() -> None:
    picture = Picture(b"\x89PNG", (560, 120), "Dollars <per> day", instead_of="Why")
    drawn = replace(MADE, picture=picture)
    made = message_from_string(email.letter(drawn, to("")).as_string(), _class=EmailMessage)
    html, image = (
        next(one for one in made.walk() if one.get_content_type() == kind)
        for kind in ("text/html", "image/png")
    )
    assert image["Content-ID"] == f"<{email.PICTURE}>"
    assert image.get_payload(decode=True) == picture.png
    text = email.html(drawn, f"cid:{email.PICTURE}")
    assert text.encode() == bytes(html.get_payload(decode=True)).strip()
    assert f'src="cid:{email.PICTURE}" width="560"' in text
    assert "Dollars &lt;per&gt; day" in text
    assert ">Why<" not in text
