package io.loomshim.mount;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.UserNamespaceCalls;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A user namespace that has no process and says how the ids of a mount are mapped, since mount_setattr(2) takes a
 * mapping in no other form. The kernel keeps it while it is open or a mount uses it. Not the container's own: that one
 * is made by the runtime, later. For steps of {@link Aside}.
 */
final class UserNamespace {
  private UserNamespace() {}

  /**
   * Makes one; no process is left, whatever happens.
   *
   * @return its descriptor
   * @throws IOException a sentence that says what the kernel lacks, or {@code open}'s error
   */
  static Fd open(IdMapping mapping) throws IOException {
    assert Aside.allowed();
    int pid = UserNamespaceCalls.endedChild();
    if (pid < 0) {
      throw refused(-pid);
    }
    try {
      String process = "/proc/" + pid;
      write(process + "/uid_map", mapping.uids(), mapping);
      write(process + "/gid_map", mapping.gids(), mapping);
      return Fd.open(process + "/ns/user", Fd.O_RDONLY, 0);
    } finally {
      UserNamespaceCalls.reap(pid);
    }
  }

  private static IOException refused(int errno) {
    String why = switch (errno) {
      case Errno.EINVAL, Errno.ENOSYS -> "the kernel has none (CONFIG_USER_NS)";
      case Errno.ENOSPC, Errno.EUSERS -> "the limit user.max_user_namespaces is reached";
      case Errno.EPERM -> "it is not permitted, by a chroot, a filter of system calls or a security module";
      default -> Errno.text(errno);
    };
    return new MappedMountException("no user namespace for a mount with mapped ids: " + why, errno);
  }

  /** The kernel takes a map as a whole, in one write. */
  private static void write(String file, String lines, IdMapping mapping) throws IOException {
    byte[] text = lines.getBytes(StandardCharsets.US_ASCII);
    try (Fd fd = Fd.open(file, Fd.O_WRONLY, 0)) {
      fd.tryWrite(text, 0, text.length);
    } catch (ErrnoException e) {
      throw new MappedMountException("the kernel refuses " + mapping + ": " + e.reason() + why(e.errno()), e.errno());
    }
  }

  private static String why(int errno) {
    return switch (errno) {
      case Errno.EINVAL -> " (ranges overlap, or there are too many)";
      case Errno.EPERM -> " (ids that this machine does not have, or no CAP_SETUID or CAP_SETGID)";
      default -> "";
    };
  }
}
