"""What the README says of names and options is what the code has."""

import re
from pathlib import Path

import pytest

from containers.commands import options
from containers.node.conf import CHECKOUT

README = (CHECKOUT / "README.md").read_text()
TOLD_IN = ("panel/settings.py", "containers/node/conf.py")


def test_the_table_of_pctls_options_is_what_pctl_prints() -> None:
    assert options.markdown() in (CHECKOUT / "docs/pctl.md").read_text()


@pytest.mark.parametrize("module", TOLD_IN)
def test_every_setting_that_the_code_tells_of_is_in_the_readme(module: str) -> None:
    text = (CHECKOUT / module).read_text().split('"""')[1]
    told = re.findall(r"PANEL_[A-Z_]+", text)

    assert told
    assert [name for name in told if f"| `{name}` |" not in README] == []


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (CHECKOUT / Path(link)).exists()] == []
