package io.loomshim.ttrpc;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The calls in flight of all connections of one server. May be used from any thread; the set is concurrent. */
final class InFlight {
  private final Set<Calls> connections = ConcurrentHashMap.newKeySet();

  /** A connection comes. */
  void add(Calls calls) {
    connections.add(calls);
  }

  /** A connection is gone; a no-op when it was before. */
  void remove(Calls calls) {
    connections.remove(calls);
  }

  /** Returns them all, the oldest first. */
  List<Call> list() {
    List<Call> list = new ArrayList<>();
    for (Calls calls : connections) {
      calls.addTo(list);
    }
    list.sort(Comparator.comparingLong(Call::startNanos));
    return list;
  }
}
