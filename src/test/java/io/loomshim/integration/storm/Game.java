package io.loomshim.integration.storm;

import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.EventSink;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OwnDaemon;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.ShimClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;

/** What the players of a storm have in common. May be used from any thread. */
final class Game {
  private final OwnDaemon own;
  private final ShimClient first;
  private final Path directory;
  private final Queue<String> problems = new ConcurrentLinkedQueue<>();
  private final ConcurrentSkipListMap<String, Integer> counts = new ConcurrentSkipListMap<>();
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean over;

  /** {@code first} is a container of the daemon whose socket the others use. */
  Game(OwnDaemon own, ShimClient first, Path directory) {
    this.own = own;
    this.first = first;
    this.directory = directory;
  }

  Path directory() {
    return directory;
  }

  Bundle bundle(String name, String... command) {
    lock.lock();
    try {
      return own.shims().bundle(Names.id(name), command);
    } finally {
      lock.unlock();
    }
  }

  /** A connection of its own for one more container. */
  ShimClient join(Bundle bundle) {
    return own.shims().join(first, Shim.tested(), bundle);
  }

  void over() {
    over = true;
  }

  boolean isOver() {
    return over;
  }

  void problem(String text) {
    problems.add(text);
  }

  List<String> problems() {
    return List.copyOf(problems);
  }

  /** Something has been seen that was as it must be. */
  void saw(String what) {
    counts.merge(what, 1, Integer::sum);
  }

  String told() {
    return new TreeMap<>(counts).toString();
  }

  /** The events of a container: an event may be delivered twice, but then one right after the other. */
  List<EventSink.Seen> events(String id) {
    var once = new ArrayList<EventSink.Seen>();
    for (var seen : own.shims().sink().of(own.shims().namespace(), id)) {
      if (once.isEmpty() || !once.getLast().equals(seen)) {
        once.add(seen);
      }
    }
    return once;
  }
}
