package io.loomshim.container;

import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.record.Change;
import io.loomshim.record.Journal;
import io.loomshim.record.Saved;
import io.loomshim.runc.RuncCalls;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncLimits;
import io.loomshim.shelf.Shelf;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * The containers of one daemon: one map, from an id to a container that is being created or exists. May be used from
 * any thread; there is no lock.
 */
public final class Containers {
  private final Common common;
  private final ConcurrentHashMap<String, Entry> entries = new ConcurrentHashMap<>();

  /** One container: it is being created at first, and may exist then. */
  public static final class Entry {
    private final String id;
    private final Path bundle;
    private final CountDownLatch decided = new CountDownLatch(1);
    private volatile Optional<Container> container = Optional.empty();

    private Entry(String id, Path bundle) {
      this.id = id;
      this.bundle = bundle;
    }

    /** Waits until the creation has succeeded, or what it had made has been removed. */
    public void awaitCreation() throws InterruptedException {
      decided.await();
    }

    /** Whether containerd 2 has asked for it. */
    public boolean ofContainerd2() throws IOException, InterruptedException {
      return Aside.run("stat bootstrap.json in " + bundle, () -> new Bundle(bundle).ofContainerd2());
    }

    /** The creation is over, however it ended: lets all go who wait for that. */
    public void endCreation() {
      decided.countDown();
    }
  }

  /**
   * Makes a daemon's containers, none at first.
   *
   * @param namespace the containerd namespace, a part of runc's root
   * @param events takes the events of the containers
   * @param journal where is written down what must be known after the daemon's end
   * @param limits how long runc may take
   * @param killExecTree whether what an exec has started ends with it
   * @param known the runtimes of which some commands need no process
   */
  public Containers(String namespace, Outbox events, Journal journal, RuncLimits limits, boolean killExecTree,
      KnownRuntimes known) {
    this(namespace, events, Shelf.NONE, journal, limits, killExecTree, known);
  }

  /** The same with a shelf, on which is kept what must not close with the daemon. */
  public Containers(String namespace, Outbox events, Shelf shelf, Journal journal, RuncLimits limits,
      boolean killExecTree, KnownRuntimes known) {
    this.common = Common.of(namespace, events, shelf, journal, limits, killExecTree, known);
  }

  /**
   * Goes on with the containers of a daemon that was killed; before any call, once. For each of those that it returns
   * {@link Container#awaitEnds} must follow, and {@link Container#goOn}.
   */
  public List<Container> resume(List<Saved.Container> saved, Remains remains) throws InterruptedException {
    List<Container> restored = new Restoration(common, remains).run(saved);
    for (Container container : restored) {
      var entry = new Entry(container.id(), container.bundle());
      entry.container = Optional.of(container);
      entry.endCreation();
      entries.put(container.id(), entry);
    }
    return restored;
  }

  /**
   * Takes an id for a container that is about to be created. {@link Entry#endCreation} must follow, after {@link
   * #remove} when the creation has failed.
   *
   * @throws StatusException ALREADY_EXISTS for an id that is in use
   */
  public Entry begin(ContainerSpec spec) {
    var entry = new Entry(spec.id(), spec.bundle());
    if (entries.putIfAbsent(spec.id(), entry) != null) {
      throw new StatusException(Code.ALREADY_EXISTS, "container " + spec.id() + ": already exists");
    }
    return entry;
  }

  /**
   * Creates the container of {@code entry}, publishes that and begins to wait for the end of its init.
   *
   * @throws io.loomshim.runc.RuncException {@code OCI runtime create failed: …} and the like; nothing is left then
   * @throws IOException when the bundle or a fifo cannot be used; nothing is left then
   */
  public Container create(Entry entry, ContainerSpec spec) throws IOException, InterruptedException {
    Container container = Creation.run(spec, common);
    entry.container = Optional.of(container);
    return container;
  }

  /** The container {@code id}, if it exists. */
  public Optional<Container> find(String id) {
    Entry entry = entries.get(id);
    return entry == null ? Optional.empty() : entry.container;
  }

  /**
   * The container {@code id}.
   *
   * @throws StatusException NOT_FOUND if there is none, or it is being created
   */
  public Container get(String id) {
    Optional<Container> container = find(id);
    if (container.isEmpty()) {
      throw new StatusException(Code.NOT_FOUND, "container not created: not found");
    }
    return container.get();
  }

  /** The creation of {@code id} that is under way, if one is. */
  public Optional<Entry> creation(String id) {
    Entry entry = entries.get(id);
    return entry == null || entry.decided.getCount() == 0 ? Optional.empty() : Optional.of(entry);
  }

  /** Gives an id back whose creation has failed. */
  public void remove(Entry entry) {
    entries.remove(entry.id, entry);
  }

  /** Forgets a container that has been deleted. */
  public void remove(Container container) {
    Entry entry = entries.get(container.id());
    if (entry != null && entry.container.isPresent() && entry.container.get() == container) {
      entries.remove(entry.id, entry);
    }
  }

  /** Frees what is held of a container that others have removed, and forgets it; whether there was one. */
  public boolean abandon(String id) {
    Optional<Container> container = find(id);
    if (container.isEmpty()) {
      return false;
    }
    container.get().abandon();
    remove(container.get());
    common.journal().write(Change.forget(id));
    return true;
  }

  /** Waits while the creation of {@code id} is being undone, in which a daemon before was killed; but not for ever. */
  public void awaitUndone(String id) throws InterruptedException {
    common.undos().awaitTried(id);
  }

  /** The ids of all containers, those being created included. */
  public Set<String> ids() {
    return new TreeSet<>(entries.keySet());
  }

  /** The containers that exist; those being created are not among them yet. */
  public List<Container> all() {
    var all = new ArrayList<Container>();
    for (Entry entry : entries.values()) {
      if (entry.container.isPresent()) {
        all.add(entry.container.get());
      }
    }
    return all;
  }

  /** Whether there is no container and none is being created. */
  public boolean empty() {
    return entries.isEmpty();
  }

  /** The runc commands of all containers. */
  public RuncCalls commands() {
    return common.calls();
  }
}
