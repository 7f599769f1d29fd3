"""Steps with the private areas that reinstallations replaced: <vz>/old/CTID/OPERATION/fs."""

from pathlib import Path

from containers.node.ct import Ct
from containers.node.errors import Code, OperationError
from containers.node.exchange import exchange
from containers.node.plan import Step
from containers.node.steps.reinstalling import forget_notes, note, number, role_of
from containers.node.storage.removal import remove


def kept(ct: Ct) -> Path:
    return ct.paths.old / f"{int(ct.params['kept'])}"


def check(ct: Ct) -> None:
    if not (kept(ct) / "fs").is_dir():
        raise OperationError("the system before that reinstallation is no longer kept",
                             Code.NO_PRIVATE)  # fmt: skip


def trade(ct: Ct) -> None:
    """old: the present system; new: the one that comes back."""
    note(ct, old=number(ct, ct.paths.fs), new=number(ct, kept(ct) / "fs"))
    exchange(ct.paths.fs, kept(ct) / "fs")


def trade_back(ct: Ct) -> None:
    if role_of(ct, kept(ct) / "fs") == "old":
        exchange(ct.paths.fs, kept(ct) / "fs")
    forget_notes(ct)


def forget(ct: Ct) -> None:
    remove(ct.storage, kept(ct) / "fs")
    remove(ct.storage, kept(ct))


TRADE_BACK = Step("trade-back", "put the present system back", do=trade_back)
CHECK = Step("check-kept", "look for the kept system", do=check)
TRADE = Step("trade", "put the kept system in its place", do=trade, undo=(TRADE_BACK,))
SETTLE = Step("settle", "keep the other in its place", do=forget_notes, commits=True)
FORGET = Step("forget", "delete the kept system", do=forget, commits=True)
