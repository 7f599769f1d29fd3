import pytest

from containers.node.states import Progress, State
from containers.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rehearsed_start_goes_from_row_to_runner_to_row(node_conf, ct101, operation):
    Worker(node_conf, ct101.node).run(until=operation.pk)
    operation.refresh_from_db()
    assert operation.state == Progress.SUCCEEDED, operation.error
    log = b"".join(bytes(chunk.data) for chunk in operation.chunks.all())
    assert len(log) == operation.log_len > 0
    print(log.decode())
    print(list(operation.steps.values_list("number", "label", "state", "offset", "end_offset")))
    ct101.refresh_from_db()
    assert ct101.state == State.RUNNING
    assert not (node_conf.spool / f"{operation.pk}").exists()
