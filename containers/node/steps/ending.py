"""Steps of a container whose init did not end as it was asked to: its reason is told.

It is said before anything else is done, lest a script that fails afterwards hides it, and makes
the operation a failure once all the rest has been done.

params: death, what its monitor saw (node/death.py).
"""

from containers.node.ct import Ct
from containers.node.death import Death
from containers.node.errors import Code, OperationError
from containers.node.plan import Step


def tell(ct: Ct) -> None:
    ct.say(f"{reason(ct)}")


def judge(ct: Ct) -> None:
    raise reason(ct)


def reason(ct: Ct) -> OperationError:
    death = Death.of(ct.params["death"])
    return death.error(None if death.early else Code.SYSTEM)


TELL = Step("tell-end", "find out how its init ended", do=tell)
JUDGE = Step("judge-end", "tell why it ended", do=judge)
