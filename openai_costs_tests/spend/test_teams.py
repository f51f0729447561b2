import pytest
from pydantic import ValidationError

from openai_costs.sections import Team


@pytest.mark.parametrize(
    "said",
    [
        {"name": "ana@acme.example"},
        {"name": "labs", "users": ("ana@acme.example",)},
        {"name": "labs", "projects": ("",)},
    ],
)
def test_an_address_names_no_team_and_is_the_id_of_nobody(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Team.model_validate(said)
