"""What README and docs say of names, options and places is what the code has."""

import os
import re
from pathlib import Path

import pytest

from containers.commands import manual
from containers.node.conf import CHECKOUT

README = CHECKOUT / "README.md"
DOCS = sorted((CHECKOUT / "docs").rglob("*.md"))
PAGES = sorted({*CHECKOUT.glob("*.md"), *(CHECKOUT / "deploy").glob("*.md"), *DOCS})
SETTINGS = (CHECKOUT / "docs/settings.md").read_text()
ARCHITECTURE = (CHECKOUT / "docs/architecture.md").read_text()
TOLD_IN = ("panel/settings.py", "containers/node/conf.py")
LINES = 150  # of the README: whoever starts reads it whole
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PLACE = re.compile(
    r"(?<![\w/.-])(?:containers|panel|templates|static|setup|tests|bench)/[\w./-]*\w/?"
)


def ids(page: Path) -> str:
    return f"{page.relative_to(CHECKOUT)}"


def test_the_table_of_pctls_options_is_what_pctl_prints() -> None:
    assert manual.markdown() in (CHECKOUT / "docs/pctl.md").read_text()


@pytest.mark.parametrize("module", TOLD_IN)
def test_every_setting_that_the_code_tells_of_is_in_the_docs(module: str) -> None:
    text = (CHECKOUT / module).read_text().split('"""')[1]
    told = re.findall(r"PANEL_[A-Z0-9_]+", text)

    assert told
    assert [name for name in told if f"| `{name}` |" not in SETTINGS] == []


def test_every_setting_that_the_code_reads_is_in_the_docs() -> None:
    read = set(re.findall(r'\benv\("([A-Z0-9_]+)"', (CHECKOUT / "panel/settings.py").read_text()))
    for path in (CHECKOUT / "containers").rglob("*.py"):
        read |= set(re.findall(r'environ(?:\.get\(|\[)"PANEL_([A-Z0-9_]+)"', path.read_text()))

    assert "HTTP" in read or "SUPPORT" in read
    assert [name for name in sorted(read) if f"| `PANEL_{name}` |" not in SETTINGS] == []


def test_every_target_of_make_is_in_the_readme() -> None:
    targets = re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)

    assert "run" in targets
    assert [name for name in targets if f"`make {name}`" not in README.read_text()] == []


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len(README.read_text().splitlines()) <= LINES


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    broken = []
    for link, anchor in links(page):
        target = page.parent / link if link else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{link}#{anchor}")

    assert broken == []


def test_every_page_of_the_docs_is_linked_from_another() -> None:
    linked = {
        os.path.normpath(page.parent / link)
        for page in PAGES
        for link, _ in links(page)
        if os.path.normpath(page.parent / link) != f"{page}"
    }

    assert DOCS
    assert [ids(page) for page in DOCS if f"{page}" not in linked] == []


def test_the_code_that_the_architecture_names_is_there() -> None:
    """NAME and N stand for a name of the reader's own."""
    named = {place for place in PLACE.findall(ARCHITECTURE) if not re.search("[A-Z]{2}", place)}
    for line in ARCHITECTURE.splitlines():
        if place := PLACE.match(line):  # of the tree; more modules of that folder may follow
            folder = place[0] if place[0].endswith("/") else f"{Path(place[0]).parent}/"
            named |= {f"{folder}{module}" for module in re.findall(r"(?<=\s)\w+\.py\b", line)}

    assert len(named) > 20
    assert [place for place in sorted(named) if not (CHECKOUT / place).exists()] == []


def links(page: Path) -> list[tuple[str, str]]:
    return LINK.findall(FENCED.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings: lower case, without punctuation, hyphens for blanks."""
    headings = HEADING.findall(FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}
