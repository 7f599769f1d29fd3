"""How much of a pool new things leave free."""

import pytest

from containers.node.storage import reserve

GIB = 1 << 30


@pytest.mark.parametrize(
    ("size", "written", "free"),
    [
        (100 * GIB, None, 5 * GIB),
        (15 * GIB, None, GIB),
        (5 * GIB, None, GIB // 2),
        (4000 * GIB, None, 50 * GIB),
        (4000 * GIB, "5%", 200 * GIB),
        (100 * GIB, "20G", 20 * GIB),
        (100 * GIB, "0", 0),
        (100 * GIB, "unlimited", 0),
        (100 * GIB, "plenty", 5 * GIB),
        (100 * GIB, "2,5%", 5 * GIB),
        (100 * GIB, "", 5 * GIB),
    ],
)
def test_it_is_what_vz_conf_says_or_a_small_share(
    size: int, written: str | None, free: int
) -> None:
    assert reserve.of(size, {} if written is None else {"POOL_RESERVE": written}) == free
