"""What settings say of a connection to FOCUS exports."""

from typing import Literal

from openai_costs.sources.exports.settings import ExportConnection


class FocusConnection(ExportConnection):
    """The FOCUS exports of one or several billing accounts."""

    provider: Literal["focus_file"] = "focus_file"
    select: Literal["ai", "all"] = "ai"
