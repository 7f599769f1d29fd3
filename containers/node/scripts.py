"""A container's scripts on its node: written from the panel's versions, run where they belong."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from containers.node import actions, approvals, entrance, observed
from containers.node.actions import Action, Scope, Where
from containers.node.bundle import write_process
from containers.node.ct import Ct, Script
from containers.node.errors import (
    Cancelled,
    CannotStart,
    CommandFailed,
    NoSpace,
    OperationError,
    Problem,
    Refused,
    ScriptFailed,
    TimedOut,
)
from containers.node.layout import Layout
from containers.node.processes.cgroup import Group
from containers.node.processes.executor import UMASK
from containers.node.script_files import Written, hash_of, put
from containers.node.trees.safe_tree import SafeTree

HOST_ENV = {
    "HOME": "/",
    "TERM": "linux",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
SHELLS = ("/bin/bash", "/bin/sh")


def write_scripts(ct: Ct, *, tolerant: bool = False) -> None:
    """Bring the container's own scripts on the node up to the panel's versions.

    A file the panel did not write is never written over: unless tolerant, or told to replace it
    (params: replace_scripts), that raises Refused before anything has happened.
    tolerant: of what goes down. One that can't be written, on a full disk say, stays as it is.
    """
    record = Written(ct.paths.node.state / "written" / f"{ct.ctid}.json")
    for action in actions.ALL:
        if Scope.OWN in action.scopes:
            try:
                write_script(ct, Scope.OWN, action, record, tolerant)
            except OSError as error:
                if not tolerant:
                    raise
                warn_unwritten(ct, action, error)
    if not tolerant:
        check_global_scripts(ct)


def write_global_scripts(ct: Ct) -> None:
    """Bring the global scripts on the node up to the panel's versions.

    Raises Refused, before one is written, where one of them would have to be approved first.
    """
    for script in ct.scripts.values():
        if script.scope is Scope.GLOBAL and not may_run(ct, script):
            raise Refused(Problem.NOT_APPROVED, **unapproved(ct, script.scope, script.action))
    record = global_record(ct.paths)
    for action in actions.ALL:
        if Scope.GLOBAL in action.scopes:
            write_script(ct, Scope.GLOBAL, action, record, tolerant=False)


def check_global_scripts(ct: Ct) -> None:
    record = global_record(ct.paths)
    for action in actions.ALL:
        path = ct.paths.script(Scope.GLOBAL, action)
        if Scope.GLOBAL in action.scopes and not action.hook and path.exists():
            have, want = hash_of(path), ct.scripts.get((Scope.GLOBAL, action))
            if have != record.get(path) and not (want and have == want.sha256):
                raise foreign(path, Scope.GLOBAL, action)


def global_record(paths: Layout) -> Written:
    return Written(paths.node.state / "written" / "global.json")


def write_script(ct: Ct, scope: Scope, action: Action, record: Written, tolerant: bool) -> None:
    path, want = ct.paths.script(scope, action), ct.scripts.get((scope, action))
    have, wrote = hash_of(path), record.get(path)
    if have is None and want and wrote == want.sha256 and switched_off(ct, scope, action):
        ct.say(f"{path} was removed or renamed on the node: the hook counts as disabled.")
    elif want and have == want.sha256:
        record.set(path, want.sha256)
    elif have is None or have == wrote or ct.params.get("replace_scripts"):
        if want:
            put(path, want.body)
            record.set(path, want.sha256)
        elif have is not None:
            path.unlink()
            record.set(path, None)
    elif not tolerant:
        raise foreign(path, scope, action)


def warn_unwritten(ct: Ct, action: Action, error: OSError) -> None:
    """What lies there instead is recorded as foreign, should it run."""
    there = present(ct, Scope.OWN, action)
    instead = "what is there runs instead" if there else "it does not run"
    path = ct.paths.script(Scope.OWN, action)
    ct.say(f"Warning: {path} could not be written ({error.strerror}); {instead}.")


def switched_off(ct: Ct, scope: Scope, action: Action) -> bool:
    """A hook is disabled by removing its file; publishing or replacing it brings it back."""
    return action.hook and scope is Scope.OWN and not ct.params.get("replace_scripts")


def foreign(path: Path, scope: Scope, action: Action) -> Refused:
    return Refused(Problem.FOREIGN_FILE, path=path, scope=scope, action=action)


def present(ct: Ct, scope: Scope, action: Action) -> bool:
    """Whether the file is there; a dangling link counts as absent (vzctl uses access)."""
    return ct.paths.script(scope, action).exists()


def run_script(ct: Ct, scope: Scope, action: Action, *args: str, ok: tuple[int, ...] = (0,)) -> int:
    """Run the script that is on the node; returns its exit code, raises ScriptFailed.

    Whatever it ends with that is not in ok, by a signal or at its time limit, is a failure.
    """
    path = ct.paths.script(scope, action)
    try:
        body = path.read_bytes()
    except OSError as e:
        raise ScriptFailed(
            Problem.SCRIPT_UNREADABLE, scope=scope, action=action, path=path, why=e.strerror
        ) from e
    script = identify(ct, scope, action, body)
    if not may_run(ct, script):
        raise ScriptFailed(Problem.NOT_APPROVED, **unapproved(ct, scope, action))
    ct.ran(script)
    try:
        if action.where is Where.CONTAINER:
            exit = run_in_container(ct, body)
        else:
            with program(ct, path, body) as argv0:
                exit = run_on_node(ct, [f"{argv0}", *args], ok)
    except TimedOut as e:
        raise ScriptFailed(Problem.TIME_LIMIT, scope=scope, action=action, seconds=e.seconds) from e
    except CannotStart as e:
        raise ScriptFailed(Problem.SCRIPT_NOT_STARTED, scope=scope, action=action, why=e.why) from e
    except CommandFailed as e:
        raise ScriptFailed(Problem.SCRIPT_FAILED, scope=scope, action=action, exit=e.exit) from e
    except ScriptFailed as e:  # it could not even be given to a shell
        raise ScriptFailed(e.problem, scope=scope, action=action) from e
    except (Cancelled, NoSpace) as e:
        e.details |= {"scope": f"{scope}", "action": f"{action}"}
        raise
    except OperationError as e:  # of a container's tree that isn't as it should be
        raise ScriptFailed(Problem.SCRIPT_NOT_RUN, scope=scope, action=action, cause=e.cause) from e
    if exit not in ok:
        raise ScriptFailed(Problem.SCRIPT_FAILED, scope=scope, action=action, exit=exit)
    ct.exited(exit)
    return exit


def identify(ct: Ct, scope: Scope, action: Action, body: bytes) -> Script:
    sha256 = hashlib.sha256(body).hexdigest()
    known = ct.scripts.get((scope, action))
    version = known.version if known and known.sha256 == sha256 else None
    return Script(scope, action, body, sha256, version)


def may_run(ct: Ct, script: Script) -> bool:
    """Whether root has approved its text, where that is needed."""
    if script.action.where is not Where.NODE or not approvals.required(ct.paths.node):
        return True
    sha256 = hashlib.sha256(script.body).hexdigest()
    ctid = ct.ctid if script.scope is Scope.OWN else None
    return approvals.approved(ct.paths.node, ctid, script.action, sha256)


def unapproved(ct: Ct, scope: Scope, action: Action) -> dict[str, Any]:
    whose = "--global" if scope is Scope.GLOBAL else ct.ctid
    return {"scope": scope, "action": action, "command": f"pctl script approve {whose} {action}"}


@contextlib.contextmanager
def program(ct: Ct, path: Path, body: bytes) -> Iterator[Path]:
    """What is run: the file itself, or where it had to be approved a copy of what was looked at.

    So nobody can put another text there between the look and the run.
    """
    if not approvals.required(ct.paths.node):
        yield path
        return
    copy = approvals.running(ct.paths.node, ct.ctid) / path.name
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    put(copy, body)
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def run_on_node(ct: Ct, argv: list[str], ok: tuple[int, ...]) -> int:
    env = {**HOST_ENV, "VEID": f"{ct.ctid}", "VE_CONFFILE": f"{ct.paths.conf_link}"}
    try:
        return ct.run(argv, env=env, terminal=True, timeout=ct.script_timeout, whole=True, ok=ok,
                      umask=UMASK)  # fmt: skip
    finally:
        if ct.executor.runner_cgroup:
            ct.executor.runner_cgroup.let_others_go(Group(f"{ct.paths.node.cgroup}/left-running"))


def run_in_container(ct: Ct, body: bytes) -> int:
    """Give the text to a shell of the container's; what it leaves running stays with its init."""
    shell = shell_in(ct.paths.fs)
    return run_inside(ct, [shell, "-s"], "script", stdin=body, timeout=ct.script_timeout)


def run_inside(
    ct: Ct,
    argv: list[str],
    name: str,
    *,
    stdin: bytes = b"",
    timeout: float | None = None,
    quiet: bool = False,
) -> int:
    """Run a command in the container; returns its exit code, or the negated signal.

    name: what the control group below the container's, which is ended whole at the time limit or
    a cancel, begins with: a systemd may not let one go that something was left running in.
    quiet: what it prints is not kept, for nobody but the panel asked for it.
    Raises CommandFailed when it can't be run there.
    """
    process = write_process(ct, argv)
    group = Group.inside(ct.paths.cgroup, f"{name}-{ct.operation}")
    group.make()
    executor = replace(ct.executor, out=unheard) if quiet else ct.executor
    try:
        return executor.run_detached(
            entrance.entering(
                ct.paths, lambda at: ct.runtime.exec(at, process, ct.pid_file, group.option)
            ),
            ct.pid_file,
            stdin=stdin,
            timeout=timeout,
            group=group,
            owner=ct.ids.base,
        )
    finally:
        group.remove(heir=Group.inside(ct.paths.cgroup))
        ct.pid_file.unlink(missing_ok=True)
        process.unlink(missing_ok=True)
        if not observed.left_behind(ct.paths):  # it was taken away just before: nor may this stay
            Group.inside(ct.paths.cgroup).remove()


def unheard(data: bytes) -> None:
    """Where output goes that is not kept."""


def shell_in(fs: Path) -> str:
    with SafeTree(fs) as tree:
        for shell in SHELLS:
            if tree.kind(shell) is not None:
                return shell
    raise ScriptFailed(Problem.NO_SHELL)
