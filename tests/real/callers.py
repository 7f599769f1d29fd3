"""Programs of a few bytes: each makes one system call and exits with its error, or 0."""

import struct

LOAD = 0x400000
EM_386, EM_X86_64 = 3, 62


def call64(number: int, *arguments: int) -> bytes:
    """For x86-64, with up to three arguments."""
    code = b"".join(
        opcode + struct.pack("<Q", value & (1 << 64) - 1)
        for opcode, value in zip((b"\x48\xbf", b"\x48\xbe", b"\x48\xba"), arguments, strict=False)
    )  # mov rdi, rsi, rdx
    code += b"\xb8" + struct.pack("<I", number) + b"\x0f\x05"  # mov eax; syscall
    code += b"\x31\xff\x48\x85\xc0\x79\x04\x89\xc7\xf7\xdf"  # edi = rax < 0 ? -eax : 0
    code += b"\xb8" + struct.pack("<I", 60) + b"\x0f\x05"  # exit
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, EM_X86_64, 1,
                         LOAD + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)  # fmt: skip
    size = 120 + len(code)
    return header + struct.pack("<IIQQQQQQ", 1, 7, 0, LOAD, LOAD, size, size, 4096) + code


def socket32(family: int) -> bytes:
    """For 32-bit x86: a stream socket, by way of socketcall(2)."""
    arguments = struct.pack("<III", family, 1, 0)
    code = b"\xb8" + struct.pack("<I", 102) + b"\xbb" + struct.pack("<I", 1)  # mov eax, ebx
    code += b"\xb9" + struct.pack("<I", LOAD + 84) + b"\xcd\x80"  # mov ecx; int 0x80
    code += b"\x31\xdb\x85\xc0\x79\x04\x89\xc3\xf7\xdb"  # ebx = eax < 0 ? -eax : 0
    code += b"\xb8" + struct.pack("<I", 1) + b"\xcd\x80"  # exit
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, EM_386, 1,
                         LOAD + 96, 52, 0, 0, 52, 32, 1, 0, 0, 0)  # fmt: skip
    size = 96 + len(code)
    program = struct.pack("<IIIIIIII", 1, 0, LOAD, LOAD, size, size, 7, 4096)
    return header + program + arguments + code
