from __future__ import annotations

from email import message_from_string
from email.message import EmailMessage
from email.policy import default

import pytest
from pydantic import SecretStr

from openai_costs.outputs.alerts.channels import email
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.message import message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import Mailbox, closed_port, mailbox

MADE = message(finding(), change(), SPIKE, dagster_url=None)
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


def test_a_letter_arrives_with_subject_text_and_a_number_that_tells_repetitions() -> None:
    with mailbox() as box:
        assert email.send(MADE, to(box.url)) == ""
    letter = message_from_string(box.letters[0], _class=EmailMessage, policy=default)
    assert letter["Subject"] == MADE.title
    assert letter["To"] == "finops@acme.example"
    assert letter["Message-ID"] == "<f1a2b3c4d5e6-1@openai-costs.invalid>"
    assert letter["References"] == "<f1a2b3c4d5e6@openai-costs.invalid>"
    assert "Owner: data-platform" in letter.get_content()


def test_one_refused_recipient_of_two_is_told_without_the_address() -> None:
    with mailbox() as box:
        remark = email.send(MADE, to(box.url, "ada@acme.example", "refused@acme.example"))
        assert len(box.letters) == 1
    assert remark == "1 of 2 recipients were refused"


def test_all_recipients_refused_is_final() -> None:
    with mailbox() as box:
        assert not failure(box, "refused@acme.example").is_retryable


def test_a_server_that_says_later_is_asked_later() -> None:
    with mailbox() as box:
        box.refuses_data = 451
        assert failure(box).is_retryable
        box.refuses_data = 554
        assert not failure(box).is_retryable


def test_a_server_that_hangs_up_may_have_taken_it() -> None:
    with mailbox() as box:
        box.hangs_up = True
        said = failure(box)
    assert (said.is_retryable, said.may_have_arrived) == (True, True)


def test_a_server_out_of_reach_has_not_taken_it() -> None:
    said = failure(Mailbox(f"smtp://127.0.0.1:{closed_port()}"))
    assert (said.is_retryable, said.may_have_arrived) == (True, False)


@pytest.mark.parametrize("url", ["https://mail.example", "smtp://", "mail.example:25"])
def test_an_address_that_is_none_is_said_so(url: str) -> None:
    assert "smtp(s)://" in str(failure(Mailbox(url)))
