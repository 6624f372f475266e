package io.loomshim.linux;

/** What a daemon sets once for its own process. */
public final class Self {
  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int SIGCHLD = 17;

  private Self() {}

  /**
   * Makes the kernel give us the orphans of our descendants, and keeps our dead children as zombies
   * until we reap them, whatever SIGCHLD was set to before (prctl(2), wait(2) on SIG_IGN).
   */
  public static void becomeSubreaper() throws ErrnoException {
    ErrnoException.check(
        "prctl", Native.callInt(Native.function("prctl"), PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0));
    Native.call(Native.function("signal"), SIGCHLD, 0, 0, 0, 0, 0);
  }

  /** Starts a new session; does nothing when this process leads its process group (setsid(2)). */
  public static void newSession() {
    Native.callInt(Native.function("setsid"), 0, 0, 0, 0, 0, 0);
  }

  /** Sets the mode bits that new files of this process do not get (umask(2)). */
  public static void umask(int mask) {
    Native.callInt(Native.function("umask"), mask, 0, 0, 0, 0, 0);
  }
}
