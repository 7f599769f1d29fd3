"""runc, the reference OCI runtime."""

from collections.abc import Mapping
from pathlib import Path

from containers.node.layout import Layout


class Driver:
    binary = "runc"

    def runc(self, ct: Layout) -> list[str]:
        return [self.binary, "--root", f"{ct.runc_root}"]

    def create(self, ct: Layout) -> list[str]:
        return [
            *self.runc(ct), "create", "--no-new-keyring",
            "--bundle", f"{ct.bundle}",
            "--console-socket", f"{ct.console_socket}",
            "--pid-file", f"{ct.bundle / 'init.pid'}",
            f"{ct.ctid}",
        ]  # fmt: skip

    def start(self, ct: Layout) -> list[str]:
        return [*self.runc(ct), "start", f"{ct.ctid}"]

    def exec(self, ct: Layout, process: Path, pid_file: Path, group: str) -> list[str]:
        """Detached, so that what the process leaves running does not hold the command up.

        group: a control group below the container's, see cgroup.Group.option.
        """
        return [
            *self.runc(ct), "exec", "--detach",
            "--cgroup", group,
            "--process", f"{process}",
            "--pid-file", f"{pid_file}",
            f"{ct.ctid}",
        ]  # fmt: skip

    def enter(self, ct: Layout, command: list[str], *, terminal: bool) -> list[str]:
        """With the caller's own stdio, for a person at a terminal."""
        tty = ["--tty"] if terminal else []
        return [*self.runc(ct), "exec", *tty, f"{ct.ctid}", *command]

    def enter_detached(self, ct: Layout, command: list[str], pid_file: Path) -> list[str]:
        """With the descriptors it is given: runc itself would copy until the last one is closed."""
        return [
            *self.runc(ct), "exec", "--detach",
            "--pid-file", f"{pid_file}",
            f"{ct.ctid}", *command,
        ]  # fmt: skip

    def delete(self, ct: Layout, *, force: bool = False) -> list[str]:
        """Of a container that is dead, unless force: runc then sleeps for 100 ms."""
        return [*self.runc(ct), "delete", *(["--force"] if force else []), f"{ct.ctid}"]

    def update(self, ct: Layout, resources: Path) -> list[str]:
        return [*self.runc(ct), "update", "--resources", f"{resources}", f"{ct.ctid}"]

    def pause(self, ct: Layout) -> list[str]:
        return [*self.runc(ct), "pause", f"{ct.ctid}"]

    def resume(self, ct: Layout) -> list[str]:
        return [*self.runc(ct), "resume", f"{ct.ctid}"]

    def checkpoint(
        self, ct: Layout, env: Mapping[str, str], images: Path, work: Path, *, leave_running: bool
    ) -> list[str]:
        """env: that CRIU is found by, and told; newer ones than 1.1 know no --criu any more."""
        return [
            *self.with_env(env), *self.runc(ct), "checkpoint",
            *(["--leave-running"] if leave_running else []),
            "--tcp-established", "--file-locks",
            "--manage-cgroups-mode", "full",
            "--image-path", f"{images}",
            "--work-path", f"{work}",
            f"{ct.ctid}",
        ]  # fmt: skip

    def restore(self, ct: Layout, env: Mapping[str, str], images: Path, work: Path) -> list[str]:
        """--shell-job: a getty may have the console without a session of its own."""
        return [
            *self.with_env(env), *self.runc(ct), "restore", "--detach",
            "--tcp-established", "--file-locks", "--shell-job",
            "--manage-cgroups-mode", "full",
            "--image-path", f"{images}",
            "--work-path", f"{work}",
            "--bundle", f"{ct.bundle}",
            "--console-socket", f"{ct.console_socket}",
            "--pid-file", f"{ct.bundle / 'init.pid'}",
            f"{ct.ctid}",
        ]  # fmt: skip

    def with_env(self, env: Mapping[str, str]) -> list[str]:
        return ["env", *(f"{key}={value}" for key, value in env.items())]

    def version(self) -> list[str]:
        return [self.binary, "--version"]
