package io.loomshim.linux;

import java.util.List;

/** Programs that run in the kernel (bpf(2)): the call itself, and how a program is written down. Stateless. */
final class Bpf {
  private static final int PROG_LOAD = 5;
  private static final int TYPE_SOCKET_FILTER = 1;

  // union bpf_attr: u32 type, u32 count, u64 instructions, u64 license; the rest is not used
  private static final int LOAD_BYTES = 48;
  private static final int LOAD_INSTRUCTIONS = 8;
  private static final int LOAD_LICENSE = 16;

  private static final long SYSCALL = Native.function("syscall");

  /** The number of the call, which is older than those that all processors have in common. */
  private static final int SYS_BPF = System.getProperty("os.arch").equals("aarch64") ? 280 : 321;

  /**
   * An instruction, eight bytes (Documentation/bpf/standardization/instruction-set.rst of the kernel).
   *
   * @param code the operation
   * @param to and {@code from}: registers
   * @param offset of memory, or how many instructions a jump leaves out
   * @param constant the same word in the low half
   */
  record Instruction(int code, int to, int from, int offset, int constant) {
    long word() {
      return code | (long) (from << 4 | to) << 8 | (long) (offset & 0xffff) << 16 | (long) constant << 32;
    }
  }

  private Bpf() {}

  /** bpf(2): what it returns, or a negative error number. */
  static int call(int command, long attr, int bytes) {
    return Native.callInt(SYSCALL, SYS_BPF, command, attr, bytes);
  }

  /**
   * A filter for sockets, which the kernel has checked.
   *
   * @throws ErrnoException EINVAL or EACCES for one that it does not take; EPERM
   */
  static Fd filter(List<Instruction> program) throws ErrnoException {
    long length = (long) program.size() * Long.BYTES;
    try (var arena = new Arena(length + LOAD_BYTES + 64L)) {
      long instructions = arena.bytes(length);
      for (int i = 0; i < program.size(); i++) {
        Native.MEMORY.putLong(instructions + (long) i * Long.BYTES, program.get(i).word());
      }
      long attr = arena.bytes(LOAD_BYTES);
      Native.MEMORY.putInt(attr, TYPE_SOCKET_FILTER);
      Native.MEMORY.putInt(attr + Integer.BYTES, program.size());
      Native.MEMORY.putLong(attr + LOAD_INSTRUCTIONS, instructions);
      Native.MEMORY.putLong(attr + LOAD_LICENSE, arena.string("")); // it uses nothing that asks for one
      return new Fd(ErrnoException.check("bpf program", call(PROG_LOAD, attr, LOAD_BYTES)));
    }
  }
}
