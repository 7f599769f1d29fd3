"""What the README says of names and options is what the code has."""

import re
from pathlib import Path

import pytest

from containers.commands import manual
from containers.node.conf import CHECKOUT

README = (CHECKOUT / "README.md").read_text()
TOLD_IN = ("panel/settings.py", "containers/node/conf.py")


def test_the_table_of_pctls_options_is_what_pctl_prints() -> None:
    assert manual.markdown() in (CHECKOUT / "docs/pctl.md").read_text()


@pytest.mark.parametrize("module", TOLD_IN)
def test_every_setting_that_the_code_tells_of_is_in_the_readme(module: str) -> None:
    text = (CHECKOUT / module).read_text().split('"""')[1]
    told = re.findall(r"PANEL_[A-Z_]+", text)

    assert told
    assert [name for name in told if f"| `{name}` |" not in README] == []


def test_every_setting_that_the_code_reads_is_in_the_readme() -> None:
    read = set(re.findall(r'\benv\("([A-Z_]+)"', (CHECKOUT / "panel/settings.py").read_text()))
    for path in (CHECKOUT / "containers").rglob("*.py"):
        read |= set(re.findall(r'environ(?:\.get\(|\[)"PANEL_([A-Z_]+)"', path.read_text()))

    assert "HTTP" in read or "SUPPORT" in read
    assert [name for name in sorted(read) if f"| `PANEL_{name}` |" not in README] == []


def test_every_target_of_make_is_in_the_readme() -> None:
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)

    assert "run" in targets
    assert [name for name in targets if f"`make {name}`" not in README] == []


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (CHECKOUT / Path(link)).exists()] == []
