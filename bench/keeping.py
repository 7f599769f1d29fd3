"""What an operator would type to keep a container of one instant, and to bring it back."""

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Process
from pathlib import Path

from bench.bare import Bare
from containers.node.checkpoint import criu
from containers.node.checkpoint.criu import Criu
from containers.node.layout import Layout

KEPT = "--tcp-established", "--file-locks", "--manage-cgroups-mode", "full"


@dataclass(frozen=True)
class Keeping:
    """Of a container that the panel has made, and that is run by hand beside it."""

    bare: Bare
    criu: Criu
    socket: Path  # where a console is handed over

    @property
    def paths(self) -> Layout:
        return self.bare.paths

    @property
    def kept(self) -> Path:
        return self.paths.snapshots / "kept"

    @property
    def safety(self) -> Path:
        return self.paths.snapshots / "safety"

    def start(self) -> None:
        self.bare.prepare(terminal=True)
        self.mount()
        with self.bare.shown():
            self.runc("create", "--bundle", f"{self.bare.bundle}",
                      "--console-socket", f"{self.socket}", "bare")  # fmt: skip
        self.runc("start", "bare")

    def end(self) -> None:
        self.runc("delete", "--force", "bare")
        self.run("umount", f"{self.paths.root}")
        self.forget()

    def freeze(self) -> float:
        """Keep it, and say how long it stood still for that."""
        self.kept.mkdir(parents=True)
        began = time.perf_counter()
        self.runc("pause", "bare")
        self.dump(self.kept, "--leave-running")
        self.run("btrfs", "subvolume", "snapshot", "-r", f"{self.paths.fs}", f"{self.kept / 'fs'}")
        self.runc("resume", "bare")
        took = time.perf_counter() - began
        self.seal(self.kept)
        return took

    def restore(self) -> float:
        fresh = self.paths.private / "fs.kept"
        began = time.perf_counter()
        self.run("env", f"--chdir={self.kept}", "sha256sum", "--check", "--quiet", "manifest")
        self.safety.mkdir()
        self.dump(self.safety)  # runc then deletes what it knows of it
        self.run("umount", f"{self.paths.root}")
        self.run("btrfs", "subvolume", "snapshot", f"{self.kept / 'fs'}", f"{fresh}")
        self.run("mv", f"{self.paths.fs}", f"{self.safety / 'fs'}")
        self.run("mv", f"{fresh}", f"{self.paths.fs}")
        self.mount()
        with self.bare.shown():
            self.runc("restore", "--detach", "--shell-job", *KEPT,
                      "--image-path", f"{self.kept / 'img'}",
                      "--work-path", f"{self.bare.bundle}",
                      "--bundle", f"{self.bare.bundle}",
                      "--console-socket", f"{self.socket}", "bare")  # fmt: skip
        self.run("btrfs", "property", "set", "-ts", f"{self.safety / 'fs'}", "ro", "true")
        self.seal(self.safety)
        return time.perf_counter() - began

    def forget(self) -> None:
        for folder in (self.kept, self.safety):
            if (folder / "fs").exists():
                self.run("btrfs", "subvolume", "delete", f"{folder / 'fs'}")
            shutil.rmtree(folder, ignore_errors=True)

    def mount(self) -> None:
        self.run("mount", "--bind", "--make-private", f"{self.paths.fs}", f"{self.paths.root}")

    def dump(self, into: Path, *options: str) -> None:
        """A restore reads some of the images as the container's root: its group may."""
        images = into / "img"
        images.mkdir()
        os.chown(images, 0, self.bare.base)
        images.chmod(0o2750)
        self.runc("checkpoint", *options, *KEPT,
                  "--image-path", f"{images}", "--work-path", f"{self.bare.bundle}",
                  "bare")  # fmt: skip

    def seal(self, folder: Path) -> None:
        """The hashes of all files, and all of it on the disk."""
        shutil.copyfile(self.bare.bundle / "config.json", folder / "config.json")
        hashes = "sha256sum config.json img/* >manifest; sync --file-system manifest"
        self.run("env", f"--chdir={folder}", "sh", "-c", hashes)

    def runc(self, *words: str) -> None:
        env = criu.environment(self.criu, self.bare.bundle / "options")
        root = f"{self.bare.bundle / 'runc'}"
        self.run("runc", "--root", root, *words, env=env)

    def run(self, *argv: str, env: dict[str, str] | None = None) -> None:
        self.bare.run(*argv, env=env)


@contextlib.contextmanager
def keeping(bare: Bare, criu_: Criu) -> Iterator[Keeping]:
    """It runs meanwhile, as a process of somebody who holds its console."""
    bare.bundle.mkdir(exist_ok=True)
    criu.write_options(bare.bundle / "options")
    path = bare.bundle / "console.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}")
        listener.listen()
        holder = Process(target=hold, args=[listener], daemon=True)  # threads may not change places
        holder.start()
        kept = Keeping(bare, criu_, path)
        umask = os.umask(0o027)
        kept.start()
        try:
            yield kept
        finally:
            os.umask(umask)
            kept.end()
            path.unlink()
            listener.shutdown(socket.SHUT_RDWR)
            holder.join()


def hold(listener: socket.socket) -> None:
    held: list[int] = []
    with contextlib.suppress(OSError):  # the listener was shut
        while True:
            with listener.accept()[0] as runtime:
                held += socket.recv_fds(runtime, 4096, 1)[1]
