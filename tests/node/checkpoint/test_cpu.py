"""The table of processors' abilities: its positions are published, and never change."""

from containers.node.checkpoint import cpu

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
flags\t\t: cmov fxsr sse sse2 mmx sep lm syscall pni aes avx2 nothing_known

processor\t: 1
vendor_id\t: GenuineIntel
flags\t\t: cmov fxsr sse sse2 mmx sep lm syscall pni aes
"""


def test_the_originals_bits_are_where_it_has_them() -> None:
    expected = {
        "cmov": 0, "fxsr": 1, "sse": 2, "sse2": 3, "mmx": 4, "3dnow": 5, "3dnowext": 6, "sep": 7,
        "lm": 8, "ia64": 9, "syscall": 10, "syscall32": 11, "sep32": 12, "sse4_1": 13,
        "sse4_2": 14, "sse4a": 15, "xsave": 25, "avx": 26, "aes": 27,
    }  # fmt: skip
    assert {name: bit for name, bit in cpu.BITS.items() if bit < 32} == expected


def test_ours_begin_at_32_and_stay_where_they_are() -> None:
    at = {name: cpu.BITS[name] for name in ("pni", "bmi2", "avx2", "sha_ni", "avx512f", "enqcmd")}
    assert at == {"pni": 32, "bmi2": 40, "avx2": 46, "sha_ni": 56, "avx512f": 70, "enqcmd": 95}
    assert len(set(cpu.BITS.values())) == len(cpu.BITS)


def test_what_in_a_container_hinders_has_the_originals_bits() -> None:
    assert (cpu.EXTERNAL, cpu.NAMESPACES, cpu.TRACED, cpu.FILESYSTEM, cpu.BIND, cpu.NETDEV,
            cpu.MISC) == (16, 17, 19, 20, 21, 22, 23)  # fmt: skip


def test_a_machine_can_do_what_each_of_its_processors_can() -> None:
    mask = cpu.read(INTEL)
    assert not mask >> cpu.BITS["avx2"] & 1
    assert mask >> cpu.BITS["aes"] & 1


def test_the_way_in_of_32_bit_programs_is_the_vendors() -> None:
    intel, amd = cpu.read(INTEL), cpu.read(INTEL.replace("GenuineIntel", "AuthenticAMD"))
    assert (intel >> 11 & 1, intel >> 12 & 1) == (0, 1)
    assert (amd >> 11 & 1, amd >> 12 & 1) == (1, 0)


def test_what_is_missing_is_named_as_the_original_names_it() -> None:
    need = cpu.caps(["lm", "sep", "aes", "avx2"], "")
    assert cpu.missing(need, cpu.caps(["avx2"], "")) == ["sysenter", "emt64", "aesni"]
    assert cpu.missing(need, need | 1 << 9) == []


def test_a_machine_without_flags_can_do_nothing() -> None:
    assert cpu.read("Hardware : something else\n") == 0
