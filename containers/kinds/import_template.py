"""Make a template of a root file system's tarball."""

from containers.grammar import Command
from containers.kind import Kind
from containers.permissions import MANAGE_TEMPLATES


class ImportTemplate(Kind):
    titled = "Import template {params[name]} on {node}"
    noun = "import"
    word, place, heading = "Import", 320, "Import a tarball"
    page, form = "templates", "templates.ImportForm"
    permission = MANAGE_TEMPLATES
    commands = (
        Command("template import", "template.import_",
                "Make a template from a tarball of a root file system", ("NAME", "FILE")),
    )  # fmt: skip


KIND = ImportTemplate()
