"""Build one of the panel's own templates afresh."""

from containers.grammar import Command
from containers.kind import Kind
from containers.permissions import MANAGE_TEMPLATES


class BuildTemplate(Kind):
    titled = "Build template {params[name]} on {node}"
    noun = "build"
    word, place, heading = "Build", 310, "Build a template"
    page, form = "templates", "templates.BuildForm"
    permission = MANAGE_TEMPLATES
    commands = (
        Command("template build", "template.build", "Build a new version of a template", ("NAME",)),
    )


KIND = BuildTemplate()
