"""Build one of the panel's own templates afresh; it appears as the newest version of its name.

params: name, one of busybox, debian-12, debian-12-sysvinit.
"""

from containers.node import ids
from containers.node.ct import Ct
from containers.node.plan import Plan, Step
from containers.node.states import State
from containers.node.steps.cloning import DISCARD_TEMPLATE, build_of
from containers.node.steps.room import CHECK_POOL
from containers.node.templates import busybox, catalogue, debian, inspection, remains
from containers.node.templates.catalogue import Build
from containers.node.templates.shift import Shift
from containers.node.trees.area import tree_of

RECIPES = (*debian.FLAVOURS, busybox.NAME)
PACKAGES_TIMEOUT = 3600.0  # seconds that fetching the packages may take


def begin(ct: Ct) -> None:
    catalogue.begin(build_of(ct), ct.storage)


def fetch(ct: Ct) -> None:
    argv = debian.argv(ct.params["name"], build_of(ct).fs, debian.sources())
    ct.run(argv, timeout=PACKAGES_TIMEOUT, terminal=True)


def configure(ct: Ct) -> None:
    debian.configure(ct.params["name"], build_of(ct).fs)


def publish(ct: Ct) -> None:
    """Cleaned of what people left in it, as far as that is wanted. What stays is said.

    A part of this step, so that journals from before an upgrade still tell of the same rows.
    """
    build = build_of(ct)
    if not is_built(ct):
        with tree_of(ct.paths.node, build.fs) as tree:
            remains.clean(tree, ct.params.get("clean", []), ct.say)
    appear(ct, build)


def appear(ct: Ct, build: Build) -> None:
    """Its facts say whether it is the panel's own: only those are offered to customers unasked."""
    there = ids.on_disk(ct.paths.node, build.fs)  # raised still in a snapshot of before
    done = Shift(there.base, there.size, source=there.base).tree(build.fs)
    facts = inspection.facts(build.fs, done, recipe=ct.params["name"] if is_built(ct) else "")
    template = catalogue.publish(build, ct.storage, facts)
    ct.say(f"{template} is there: {template.facts.files} files, {template.facts.size >> 20} MiB.")


def is_built(ct: Ct) -> bool:
    """Not unpacked from a tarball, nor taken from a snapshot: those may hold somebody's files."""
    return not {"path", "source"} & set(ct.params)


def make_busybox(ct: Ct) -> None:
    template = busybox.publish(ct.paths.node, key=f"{ct.operation}")
    ct.say(f"{template} is there.")


def is_debian(ct: Ct) -> bool:
    return ct.params["name"] in debian.FLAVOURS


def is_busybox(ct: Ct) -> bool:
    return not is_debian(ct)


BEGIN = Step("begin-template", "make room for the template", do=begin, undo=(DISCARD_TEMPLATE,))
PUBLISH = Step("publish-template", "look through its files and publish it", do=publish)

PLAN = Plan(
    "Build a template",
    entry={
        State.STOPPED: [
            CHECK_POOL,
            BEGIN.only(is_debian),
            Step("fetch-packages", "fetch and install the packages", do=fetch, when=is_debian),
            Step(
                "configure-template",
                "set it up for containers",
                do=configure,
                when=is_debian,
            ),
            PUBLISH.only(is_debian),
            Step("busybox", "make it from the node's busybox", do=make_busybox, when=is_busybox),
        ]
    },
    on_container=False,
    touches=("templates",),
)
