"""Make a template of a root file system's tarball."""

from containers.grammar import Command
from containers.kind import Kind
from containers.permissions import MANAGE_TEMPLATES


class ImportTemplate(Kind):
    word, place, heading = "Import", 320, "Import a tarball"
    page, form = "templates", "templates.ImportForm"
    permission = MANAGE_TEMPLATES
    commands = (
        Command("template import", "template.import_",
                "Make one of a tarball of a root file system", ("NAME", "FILE")),
    )  # fmt: skip


KIND = ImportTemplate()
