package io.loomshim.stdio;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds descriptors by their roles. Owns those that have not been taken; used by one thread. */
final class Roles implements AutoCloseable {
  private final List<Held> rest;

  Roles(List<Held> all) {
    rest = new ArrayList<>(all);
  }

  /** Takes the first of a role. */
  Optional<Fd> take(String role) {
    for (int i = 0; i < rest.size(); i++) {
      if (rest.get(i).role().equals(role)) {
        return Optional.of(rest.remove(i).fd());
      }
    }
    return Optional.empty();
  }

  /** The same for what a client has named {@code path}, if that is not empty: but a pipe, it is in any file system. */
  Optional<Fd> take(String role, String path) {
    Optional<Fd> fd = take(role);
    return fd.isEmpty() || path.isEmpty() || Pipe.is(fd.get()) ? fd : Optional.of(fd.get().foreign(path));
  }

  /** Takes the first whose role begins so. */
  Optional<Held> takeBeginning(String role) {
    for (int i = 0; i < rest.size(); i++) {
      if (rest.get(i).role().startsWith(role)) {
        return Optional.of(rest.remove(i));
      }
    }
    return Optional.empty();
  }

  /**
   * The pipes that the process has, as far as their other ends are here.
   *
   * @param one whether stderr is the pipe that stdout is
   */
  List<StreamFile> pipes(boolean one) throws IOException {
    var pipes = new ArrayList<StreamFile>();
    for (Held held : rest) {
      String role = held.role();
      if (role.startsWith("stdin.") && role.endsWith(Held.TO)) {
        pipes.add(StreamFile.pipe(0, held.fd()));
      } else if (role.startsWith("stdout.") && role.endsWith(Held.FROM)) {
        pipes.add(StreamFile.pipe(1, held.fd()));
        if (one) {
          pipes.add(StreamFile.pipe(2, held.fd()));
        }
      } else if (role.startsWith("stderr.") && role.endsWith(Held.FROM)) {
        pipes.add(StreamFile.pipe(2, held.fd()));
      }
    }
    return pipes;
  }

  /** Takes all of a role. */
  List<Fd> takeAll(String role) {
    var all = new ArrayList<Fd>();
    for (Optional<Fd> next = take(role); next.isPresent(); next = take(role)) {
      all.add(next.get());
    }
    return all;
  }

  @Override
  public void close() {
    for (Held held : rest) {
      held.fd().close();
    }
    rest.clear();
  }
}
