"""The people in the company's own directory."""

import datetime as dt

from openai_costs.tables.contract import Contract, column

ENGINEER_STATES = ("active", "left")


class Engineers(Contract):
    """People in the company's own directory.

    One row per person, from the newest trusted reading of the directory. Contains e-mail addresses:
    personal data.
    """

    person_id: str = column("The person's id in the directory.")
    name: str = column("Name; personal data.", nullable=True)
    email: str = column("Main e-mail address. Personal data.", nullable=True)
    aliases: str = column("Other e-mail addresses, comma-joined. Personal data.", nullable=True)
    openai_user_id: str = column("OpenAI user id, where the directory names it.", nullable=True)
    team: str = column("The person's team in the directory.", nullable=True)
    cost_center: str = column("Cost center.", nullable=True)
    status: str = column("active or left.", isin=ENGINEER_STATES)
    left_day: dt.date = column(
        "The day the person left; null if they have not left or the directory gives no day.",
        unit="UTC day",
        nullable=True,
    )
    is_trusted: bool = column(
        "Whether the newest reading of the directory is trusted; if false, these people are from "
        "the last trusted reading, and no finding is based on them."
    )
    origin: str = column("The file and place the person was read from.")

    class Config(Contract.Config):
        """One row per person."""

        unique = ("person_id",)
