package io.loomshim.linux;

/**
 * A user namespace (user_namespaces(7)) that no process is in. A process of several threads cannot make one for itself,
 * and a child that ran on as a copy of this one would be a JVM with one thread. So the child has ended, by {@code
 * _exit}, before the call returns: the kernel keeps its namespace for as long as it is a zombie. The child runs in our
 * memory while the calling thread waits for it in the kernel, as that of posix_spawn(3) does. Stateless.
 */
public final class UserNamespaceCalls {
  // linux/sched.h. Without CLONE_FILES the child would hold copies of all our descriptors. With no signal for its end,
  // it is nothing that the waits for other children see.
  private static final int CLONE_VM = 0x100;
  private static final int CLONE_FILES = 0x400;
  private static final int CLONE_VFORK = 0x4000;
  private static final int CLONE_NEWUSER = 0x1000_0000;

  private static final int WALL = 0x4000_0000; // wait(2): whatever signal it ends with

  private static final int STACK_BYTES = 64 << 10;

  // pthread_sigmask(3), signal(7): all but those that a thread raises itself, which the JVM lives on
  private static final int SIG_BLOCK = 0;
  private static final int SIG_SETMASK = 2;
  private static final int SIGSET_BYTES = 128;
  private static final int[] OF_THREADS = {4, 5, 7, 8, 11}; // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV

  private static final long CLONE = Native.function("clone");
  private static final long EXIT = Native.function("_exit");
  private static final long SIGMASK = Native.function("pthread_sigmask");
  private static final long WAIT4 = Native.function("wait4");

  private UserNamespaceCalls() {}

  /**
   * Makes a child in a user namespace of its own, which has ended when this returns. To be called on a platform thread.
   *
   * @return its pid until {@link #reap}, or a negative error number: EINVAL without user namespaces in the kernel,
   *     ENOSPC at the limit {@code user.max_user_namespaces}, EPERM in a chroot or where a filter forbids it
   */
  public static int endedChild() {
    try (var arena = new Arena(STACK_BYTES + 2L * SIGSET_BYTES + 64)) {
      long stack = arena.bytes(STACK_BYTES);
      long most = arena.bytes(SIGSET_BYTES);
      long before = arena.bytes(SIGSET_BYTES);
      Native.MEMORY.setMemory(most, SIGSET_BYTES, (byte) 0xff);
      long word = Native.MEMORY.getLong(most);
      for (int signal : OF_THREADS) {
        word &= ~(1L << (signal - 1));
      }
      Native.MEMORY.putLong(most, word);
      Native.callStatus(SIGMASK, SIG_BLOCK, most, before);
      int flags = CLONE_NEWUSER | CLONE_VM | CLONE_VFORK | CLONE_FILES;
      int pid = Native.callInt(CLONE, EXIT, stack + STACK_BYTES, flags, 0);
      Native.callStatus(SIGMASK, SIG_SETMASK, before, 0);
      return pid;
    }
  }

  /** Forgets the child; its namespace goes with it unless it is open. */
  public static void reap(int pid) {
    int result;
    do {
      result = Native.callInt(WAIT4, pid, 0, WALL, 0);
    } while (result == -Errno.EINTR);
  }
}
