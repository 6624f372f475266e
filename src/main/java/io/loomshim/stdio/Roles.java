package io.loomshim.stdio;

import io.loomshim.linux.Fd;
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
    for (Held held : rest) {
      if (held.role().equals(role)) {
        rest.remove(held);
        return Optional.of(held.fd());
      }
    }
    return Optional.empty();
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
