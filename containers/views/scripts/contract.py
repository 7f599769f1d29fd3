"""What a script is told: a hook's options, what its exit codes lead to, and a sample of each."""

from pathlib import Path

from containers.node import actions
from containers.node.actions import Action

SAMPLES = Path(actions.__file__).parent / "samples"

# See steps/reinstalling.py
TERMS = {
    actions.REINSTALL: [
        ("Options", "--veid ID --ve_private_tmp DIRECTORY (where it makes the new system; it "
                    "is not there yet) --ve_private DIRECTORY (the old system)"),
        ("Exit code 0", "it has made the temporary private area, and that becomes the new system. "
                        "Without that area, the reinstallation fails with 128"),
        ("Exit code 128", "the default reinstallation is done: the hooks count as not there, "
                          "vps.configure does not run"),
        ("Any other", "the reinstallation fails with 128; the old system stays as it is"),
        ("No hook", "none, disabled, or removed or renamed on the node: the default"),
    ],
    actions.CONFIGURE: [
        ("Finds", "the old system at /old, whatever becomes of it afterwards"),
        ("Exit code 0", "the new system is kept"),
        ("Any other", "the reinstallation fails with 94; the old system is put back, and started "
                      "again if it ran"),
    ],
}  # fmt: skip


def terms(action: Action) -> list[tuple[str, str]]:
    return TERMS.get(action, [])


def sample(action: Action) -> str:
    try:
        return (SAMPLES / action.name).read_text()
    except OSError:
        return ""
