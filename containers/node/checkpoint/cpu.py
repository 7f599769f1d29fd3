"""What a processor can do, as a mask: bit 0 to 31 as OpenVZ has them, ours from 32 up.

The positions are published and final: masks of different nodes and years are compared. Imports
nothing, for vzcptcheck is run from scripts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Linux' names in /proc/cpuinfo; a name of OpenVZ's where it differs.
OPENVZ = {
    "cmov": 0, "fxsr": 1, "sse": 2, "sse2": 3, "mmx": 4, "3dnow": 5, "3dnowext": 6, "sep": 7,
    "lm": 8, "ia64": 9, "syscall": 10, "syscall32": 11, "sep32": 12, "sse4_1": 13, "sse4_2": 14,
    "sse4a": 15, "xsave": 25, "avx": 26, "aes": 27,
}  # fmt: skip
OURS = (
    "pni", "ssse3", "cx16", "lahf_lm", "popcnt", "movbe", "abm", "bmi1", "bmi2", "f16c", "fma",
    "fma4", "xop", "tbm", "avx2", "pclmulqdq", "rdrand", "rdseed", "adx", "erms", "fsrm",
    "fsgsbase", "clflushopt", "clwb", "sha_ni", "vaes", "vpclmulqdq", "gfni", "movdiri",
    "movdir64b", "rtm", "hle", "xsaveopt", "xsavec", "xsaves", "xgetbv1", "pku", "rdpid",
    "avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl", "avx512ifma", "avx512vbmi",
    "avx512_vbmi2", "avx512_vnni", "avx512_bitalg", "avx512_vpopcntdq", "avx512_vp2intersect",
    "avx512_bf16", "avx512_fp16", "avx512er", "avx512pf", "avx_vnni", "amx_tile", "amx_int8",
    "amx_bf16", "user_shstk", "rdtscp", "clzero", "waitpkg", "serialize", "enqcmd",
)  # fmt: skip
BITS = {**OPENVZ, **{name: 32 + place for place, name in enumerate(OURS)}}
NAMES = {"lm": "emt64", "sep": "sysenter", "aes": "aesni"}

# What in a container hinders a dump, at the positions the original has it.
EXTERNAL, NAMESPACES, SCHEDULER, TRACED, FILESYSTEM, BIND, NETDEV, MISC = range(16, 24)


def caps(flags: "Iterable[str]", vendor: str) -> int:
    """The mask of a processor that has these flags."""
    have = set(flags)
    # Which way in 32-bit programs have on a 64-bit kernel is the vendor's, and no flag tells.
    if "lm" in have and vendor == "AuthenticAMD" and "syscall" in have:
        have.add("syscall32")
    if "lm" in have and vendor == "GenuineIntel" and "sep" in have:
        have.add("sep32")
    return sum(1 << bit for name, bit in BITS.items() if name in have)


def of_node() -> int:
    """The mask of this machine: what each of its processors has."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        return read(file.read())


def read(text: str) -> int:
    mask = -1
    vendor = ""
    for line in text.split("\n"):
        key, _, value = line.partition(":")
        key = key.strip()
        if key == "vendor_id":
            vendor = value.strip()
        elif key == "flags":
            mask &= caps(value.split(), vendor)
    return max(mask, 0)


def missing(need: int, have: int) -> list[str]:
    """The names of what is needed and not there."""
    lack = need & ~have
    return [NAMES.get(name, name) for name, bit in BITS.items() if lack >> bit & 1]
