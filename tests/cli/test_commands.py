"""The commands on a real street and a real desk."""
from tests.cli.town import Town
def test_x(built_town: Town) -> None:
    assert built_town
