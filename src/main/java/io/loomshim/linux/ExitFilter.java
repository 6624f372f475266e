package io.loomshim.linux;

import io.loomshim.linux.Bpf.Instruction;
import java.util.ArrayList;
import java.util.List;

/**
 * The program that the kernel runs for each message of the process connector: of an end it writes the status into a
 * {@link KernelTable}, if the process is in that, and then drops the message, so that nothing ever waits in the socket.
 *
 * <p>Each thread of a process tells of its end, and all say the same when the process is killed or calls exit. Others
 * end before that, with 0: those that a program or its runtime has done with, and all but one at an execve(2), as of
 * the init of each container, which has been runc. So the first thread tells how the process has ended. Where that says
 * 0 a later thread may: the first one may have ended by itself, long before the others. Stateless.
 */
final class ExitFilter {
  /** What is put above a status word, for those that have ended. */
  static final long KNOWN = 1L << 32;

  // linux/netlink.h and linux/connector.h: headers of 16 and 20 bytes. linux/cn_proc.h, struct proc_event, in words:
  // what, cpu, two of a time; of an end pid, tgid, exit_code, exit_signal, parent_pid, parent_tgid
  private static final int EVENT_OFFSET = 36;
  private static final int EVENT_BYTES = 40;
  private static final int PID = 16;
  private static final int TGID = 20;
  private static final int EXIT_CODE = 24;
  private static final int EVENT_EXIT = 0x8000_0000;

  // operations of eBPF; registers: 0 what a call returns, 1 to 5 its arguments, 10 the end of the stack
  private static final int MOVE_CONSTANT = 0xb7;
  private static final int MOVE_CONSTANT_32 = 0xb4;
  private static final int MOVE = 0xbf;
  private static final int ADD_CONSTANT = 0x07;
  private static final int OR = 0x4f;
  private static final int SHIFT_LEFT = 0x67;
  private static final int LOAD_32 = 0x61;
  private static final int LOAD_64 = 0x79;
  private static final int STORE_64 = 0x7b;
  private static final int LOAD_TABLE = 0x18; // of two instructions' length
  private static final int JUMP_NOT_CONSTANT = 0x55;
  private static final int JUMP_CONSTANT = 0x15;
  private static final int JUMP_NOT = 0x5d;
  private static final int JUMP_SAME = 0x1d;
  private static final int CALL = 0x85;
  private static final int END = 0x95;
  private static final int PSEUDO_MAP = 1;
  private static final int HELPER_LOOKUP = 1;
  private static final int HELPER_LOAD_BYTES = 26;
  private static final int STACK = 10;

  private ExitFilter() {}

  /** The program for {@code table}. */
  static Fd load(KernelTable table) throws ErrnoException {
    var program = new ArrayList<Instruction>();
    // the event onto the stack: register 1 has the message
    program.add(new Instruction(MOVE_CONSTANT, 2, 0, 0, EVENT_OFFSET));
    program.add(new Instruction(MOVE, 3, STACK, 0, 0));
    program.add(new Instruction(ADD_CONSTANT, 3, 0, 0, -EVENT_BYTES));
    program.add(new Instruction(MOVE_CONSTANT, 4, 0, 0, EVENT_BYTES));
    program.add(new Instruction(CALL, 0, 0, 0, HELPER_LOAD_BYTES));
    List<Instruction> found = found();
    var exit = new ArrayList<Instruction>();
    exit.add(new Instruction(LOAD_TABLE, 1, PSEUDO_MAP, 0, table.fd().number()));
    exit.add(new Instruction(0, 0, 0, 0, 0));
    exit.add(new Instruction(MOVE, 2, STACK, 0, 0));
    exit.add(new Instruction(ADD_CONSTANT, 2, 0, 0, TGID - EVENT_BYTES));
    exit.add(new Instruction(CALL, 0, 0, 0, HELPER_LOOKUP));
    exit.add(new Instruction(JUMP_CONSTANT, 0, 0, found.size(), 0));
    exit.addAll(found);
    var event = new ArrayList<Instruction>();
    event.add(new Instruction(LOAD_32, 1, STACK, -EVENT_BYTES, 0));
    event.add(new Instruction(MOVE_CONSTANT_32, 2, 0, 0, EVENT_EXIT));
    event.add(new Instruction(JUMP_NOT, 1, 2, exit.size(), 0));
    event.addAll(exit);
    program.add(new Instruction(JUMP_NOT_CONSTANT, 0, 0, event.size(), 0)); // a message that is too short
    program.addAll(event);
    program.add(new Instruction(MOVE_CONSTANT, 0, 0, 0, 0)); // none of it is kept
    program.add(new Instruction(END, 0, 0, 0, 0));
    return Bpf.filter(List.copyOf(program));
  }

  /** What is done with the entry that register 0 points to: {@link #KNOWN} and no more is a status of 0. */
  private static List<Instruction> found() {
    var write = new ArrayList<Instruction>();
    write.add(new Instruction(LOAD_32, 1, STACK, EXIT_CODE - EVENT_BYTES, 0));
    write.add(new Instruction(OR, 1, 3, 0, 0));
    write.add(new Instruction(STORE_64, 0, 1, 0, 0));
    var other = new ArrayList<Instruction>(); // than the first thread
    other.add(new Instruction(LOAD_64, 1, 0, 0, 0));
    other.add(new Instruction(JUMP_NOT, 1, 3, write.size(), 0));
    var found = new ArrayList<Instruction>();
    found.add(new Instruction(MOVE_CONSTANT, 3, 0, 0, 1));
    found.add(new Instruction(SHIFT_LEFT, 3, 0, 0, Integer.SIZE));
    found.add(new Instruction(LOAD_32, 1, STACK, PID - EVENT_BYTES, 0));
    found.add(new Instruction(LOAD_32, 2, STACK, TGID - EVENT_BYTES, 0));
    found.add(new Instruction(JUMP_SAME, 1, 2, other.size(), 0));
    found.addAll(other);
    found.addAll(write);
    return found;
  }
}
