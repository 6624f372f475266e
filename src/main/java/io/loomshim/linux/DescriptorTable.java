package io.loomshim.linux;

/** The kernel's table of the descriptors of this process. Stateless; any thread. */
public final class DescriptorTable {
  private DescriptorTable() {}

  /**
   * Has the kernel make room for about {@code count} descriptors at once, by way of {@code any}, which is open. It
   * doubles the table otherwise, and in a process with threads it waits for all processors each time, for some
   * milliseconds. Beyond the limit of open files nothing happens.
   */
  public static void makeRoom(int count, Fd any) {
    try {
      any.duplicateFrom(count - 1).close();
    } catch (ErrnoException e) {
      // it grows as it fills
    }
  }
}
