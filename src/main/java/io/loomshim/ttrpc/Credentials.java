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
 * User and group of a process. Principals of the JDK are equal when their numbers are. Immutable.
 *
 * @param user the effective user
 * @param group the effective group
 */
record Credentials(UserPrincipal user, GroupPrincipal group) {

  /** Returns those of this process: the owner of /proc/PID is the effective user and group, proc(5). Read once. */
  static Credentials own() {
    return Own.CREDENTIALS;
  }

  /** Returns those that the peer had when it connected (SO_PEERCRED, unix(7)). */
  static Credentials of(SocketChannel channel) throws IOException {
    var peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
    return new Credentials(peer.user(), peer.group());
  }

  /** Not {@code equals} of a record: its first use builds code for it, before the first reply. */
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
