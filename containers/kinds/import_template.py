"""Make a template of a root file system's tarball."""

from containers.grammar import Command, Option
from containers.kind import Kind
from containers.permissions import MANAGE_TEMPLATES


def leave_in(text: str) -> list[str]:
    """What is cleaned, where these are to stay. Raises BadValue."""
    from containers.node.errors import BadValue, BadValues  # not for help, which is to be quick
    from containers.node.templates import remains

    words = [*remains.BY_WORD] if text == "all" else text.split(",")
    for word in words:
        if word not in remains.BY_WORD:
            raise BadValue(BadValues.NO_GROUP, word=word, known=["all", *remains.BY_WORD])
    return [word for word in remains.DEFAULT if word not in words]


KEEP = Option(
    "--keep", "A,B", leave_in, key="clean",
    note="leave in it what is removed otherwise: passwords, keys, histories, root, leases, mail, "
    "logs, temporary; or all",
)  # fmt: skip


class ImportTemplate(Kind):
    titled = "Import template {params[name]} on {node}"
    noun = "import"
    word, place, heading = "Import", 320, "Import a tarball"
    page, form = "templates", "templates.ImportForm"
    permission = MANAGE_TEMPLATES
    commands = (
        Command("template import", "template.import_",
                "Make a template from a tarball of a root file system", ("NAME", "FILE"),
                (KEEP,)),
    )  # fmt: skip


KIND = ImportTemplate()
