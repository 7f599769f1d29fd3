"""The line between a browser and a panel. It can be cut, as a phone's is in a tunnel."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Line:
    """A port that leads to the panel's, byte for byte.

    Chromium's own offline mode refuses new connections only: websockets stay as they are.
    """

    def __init__(self, port: int) -> None:
        self.to = port
        self.whole = True
        self.ends: set[socket.socket] = set()
        self.executor = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.listen, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.executor.getsockname()[1]}"

    def listen(self) -> None:
        with contextlib.suppress(OSError):  # the door is closed
            while True:
                caller, _ = self.executor.accept()
                self.lead(caller)

    def lead(self, caller: socket.socket) -> None:
        if not self.whole:
            caller.close()
            return
        panel = socket.create_connection(("127.0.0.1", self.to))
        self.ends |= {caller, panel}
        for source, sink in ((caller, panel), (panel, caller)):
            threading.Thread(target=self.pass_on, args=(source, sink), daemon=True).start()

    def pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        self.whole = False
        self.hang_up()
        try:
            yield
        finally:
            self.whole = True

    def hang_up(self) -> None:
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.ends.clear()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.executor.shutdown(socket.SHUT_RDWR)  # wakes who waits for a caller
        self.executor.close()
        self.whole = False
        self.hang_up()
