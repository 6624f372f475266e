package io.loomshim.ttrpc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import jdk.net.ExtendedSocketOptions;

/**
 * User and group of a process. Principals of the JDK are equal when their numbers are equal. Immutable.
 *
 * @param user the effective user
 * @param group the effective group
 */
record Credentials(UserPrincipal user, GroupPrincipal group) {

  /** Returns those of this process, read once: the effective user and group own /proc/PID, proc(5). */
  static Credentials own() {
    return Own.CREDENTIALS;
  }

  /** Returns those that the peer had when it connected, SO_PEERCRED in unix(7). */
  static Credentials of(SocketChannel channel) throws IOException {
    var peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
    return new Credentials(peer.user(), peer.group());
  }

  /** In place of the {@code equals} of a record, whose first use generates code before the first reply. */
  boolean same(Credentials other) {
    return user.equals(other.user) && group.equals(other.group);
  }

  private static final class Own {
    static final Credentials CREDENTIALS = read();

    private static Credentials read() {
      try {
        var attributes = Files.readAttributes(Path.of("/proc/self"), PosixFileAttributes.class);
        return new Credentials(attributes.owner(), attributes.group());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
