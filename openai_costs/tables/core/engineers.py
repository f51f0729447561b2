"""The known engineers, from the company's own directory."""

import datetime as dt

from openai_costs.tables.contract import Contract, column

ENGINEER_STATES = ("active", "left")


class Engineers(Contract):
    """The people the company's own directory knows.

    One row per person, from the newest directory that could be believed. Holds e-mail addresses:
    personal data.
    """

    person_id: str = column("The directory's id of the person.")
    name: str = column("Name; personal data.", nullable=True)
    email: str = column("Main e-mail address. Personal data.", nullable=True)
    aliases: str = column("Other e-mail addresses, comma-joined. Personal data.", nullable=True)
    openai_user_id: str = column("OpenAI user id, where the directory names it.", nullable=True)
    team: str = column("The team the directory gives.", nullable=True)
    cost_center: str = column("Cost centre.", nullable=True)
    status: str = column("active or left.", isin=ENGINEER_STATES)
    left_day: dt.date = column(
        "The day the person left; null when still here or not told.", unit="UTC day", nullable=True
    )
    is_trusted: bool = column(
        "Whether the newest reading of the directory could be believed; false: these people are "
        "from the last one that could, and nobody is judged by them."
    )
    origin: str = column("The file and place the person was read from.")

    class Config(Contract.Config):
        """One row per person."""

        unique = ("person_id",)
