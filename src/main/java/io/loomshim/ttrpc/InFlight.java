package io.loomshim.ttrpc;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The calls in flight of all connections of one server. May be used from any thread; the set is concurrent. */
final class InFlight {
  private final Set<Calls> connections = ConcurrentHashMap.newKeySet();

  /** Adds a connection. */
  void add(Calls calls) {
    connections.add(calls);
  }

  /** Removes a connection; does nothing when it is not there. */
  void remove(Calls calls) {
    connections.remove(calls);
  }

  /** Whether any connection has a call beside {@code own} that is at work, not one that waits without a limit. */
  boolean busyBeside(Call own) {
    for (Calls calls : connections) {
      if (calls.busyBeside(own)) {
        return true;
      }
    }
    return false;
  }

  /** Returns all calls, the oldest first. */
  List<Call> list() {
    List<Call> list = new ArrayList<>();
    for (Calls calls : connections) {
      calls.addTo(list);
    }
    list.sort(Comparator.comparingLong(Call::startNanos));
    return list;
  }
}
