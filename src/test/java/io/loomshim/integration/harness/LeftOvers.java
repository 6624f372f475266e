package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What of ours exists on the machine at a moment: processes, mounts, cgroups, sockets, FIFOs,
 * runc's state, and how many descriptors and threads each daemon has. Two snapshots tell what a test left.
 * Immutable; may be used from any thread.
 */
record LeftOvers(Map<Long, Proc.Info> processes, Set<String> things, Map<Long, Daemon> daemons) {
  /**
   * Beginnings of the names of threads that a JVM starts by itself: some end when they have been idle for a while, as
   * a carrier of virtual threads does after 30 s, some are started once, when they are first needed.
   */
  private static final List<String> THREADS_OF_JVM =
      List.of("ForkJoinPool", "VirtualThread-", "C1 Compiler", "C2 Compiler", "Attach Listener", "JFR ");
  /** A thread that waits for steps of file systems; one that does a step is called after that. */
  private static final String SPARE = "aside";
  /** How many of these there may be: a carrier for each processor, and one for each that is held by a slow disk. */
  private static final int THREADS_OF_JVM_MAX = 64;
  /** A socket that no listener of ours has accepted. */
  private static final String OUTGOING = "outgoing socket";
  /** The connection for events, which comes and goes with containerd, and one that the JDK keeps for itself. */
  private static final int OUTGOING_MAX = 2;

  /** The copy of a runtime that a daemon keeps: one of each. */
  private static final String SEALED = "/memfd:loomshim-";
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  /** The open descriptors and the threads of one daemon, as {@link Proc} tells them. */
  record Daemon(List<String> files, List<String> threads) {
    /** How many of its threads are of each name; those that the JVM starts by itself are left out. */
    Map<String, Integer> started() {
      var counts = new TreeMap<String, Integer>();
      for (String name : threads) {
        if (THREADS_OF_JVM.stream().noneMatch(beginning -> Proc.named(name, beginning)) && !name.equals(SPARE)) {
          counts.merge(name, 1, Integer::sum);
        }
      }
      return counts;
    }
  }

  /** Takes a snapshot; {@code fifos} is where ctr makes FIFOs. */
  static LeftOvers now(Path fifos) {
    var things = new TreeSet<String>();
    for (String point : Mounts.below(Scratch.BASE.toString())) {
      things.add("mount " + point);
    }
    for (Path cgroup : cgroups()) {
      things.add("cgroup " + cgroup);
    }
    // a Go shim that containerd kills before it has ended by itself leaves a file, which is not ours to judge
    for (Path socket : goSockets(true)) {
      things.add("socket " + socket);
    }
    for (Path entry : entries(fifos)) {
      things.add("fifo " + entry);
    }
    for (Path entry : entries(Names.RUNC_ROOT)) {
      if (entry.getFileName().toString().startsWith(Names.PREFIX)) {
        // no container: crun keeps an empty directory there
        entries(entry).stream().filter(state -> !state.getFileName().toString().startsWith("."))
            .forEach(state -> things.add("runc state " + state));
      }
    }
    var processes = ourProcesses();
    var daemons = new TreeMap<Long, Daemon>();
    if (Shim.tested().ours()) {
      for (var daemon : Install.get().daemons()) {
        daemons.put(daemon.pid(), new Daemon(Proc.files(daemon.pid()), Proc.threads(daemon.pid())));
        processes.remove(daemon.pid());
        entries(daemon.directory().resolve("leases")).forEach(lease -> things.add("lease " + lease));
      }
    }
    return new LeftOvers(processes, things, daemons);
  }

  /** What exists now and did not exist in {@code before}, one line each. */
  List<String> since(LeftOvers before) {
    var found = new ArrayList<String>();
    for (var info : processes.values()) {
      var known = before.processes.get(info.pid());
      if (known == null || known.startTicks() != info.startTicks()) {
        found.add("process " + info);
      }
    }
    for (String thing : things) {
      if (!before.things.contains(thing)) {
        found.add(thing);
      }
    }
    daemons.forEach((pid, daemon) -> {
      var known = before.daemons.get(pid);
      if (known != null) {
        compare(pid, known, daemon, found);
      }
    });
    return found;
  }

  private static void compare(long pid, Daemon before, Daemon after, List<String> found) {
    var known = kinds(before.files);
    kinds(after.files).forEach((kind, count) -> {
      int allowed = kind.equals(OUTGOING) ? OUTGOING_MAX : kind.startsWith(SEALED) ? 1 : 0;
      if (count > Math.max(allowed, known.getOrDefault(kind, 0))) {
        var fresh = new ArrayList<>(after.files);
        fresh.removeAll(before.files);
        fresh.removeIf(file -> !kind(file).equals(kind));
        found.add("daemon " + pid + " has " + count + " x " + kind + " open, had " + known.getOrDefault(kind, 0)
            + "; new are " + fresh);
      }
    });
    var threads = before.started();
    after.started().forEach((name, count) -> {
      if (count > threads.getOrDefault(name, 0)) {
        found.add("daemon " + pid + " has " + count + " threads " + name + ", had " + threads.getOrDefault(name, 0));
      }
    });
    if (after.threads.size() > THREADS_OF_JVM_MAX) {
      found.add("daemon " + pid + " has the threads " + after.threads);
    }
  }

  /** Ends and removes what {@code this} has and {@code before} had not, so that the next test starts clean. */
  void removeSince(LeftOvers before) {
    for (var info : processes.values()) {
      if (!before.processes.containsKey(info.pid()) && !info.zombie()) {
        Proc.kill(info.pid());
      }
    }
    for (String point : Mounts.below(Scratch.BASE.toString()).reversed()) {
      if (!before.things.contains("mount " + point)) {
        Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), List.of("umount", "-l", point))
            .await(Await.seconds(10));
      }
    }
    for (Path cgroup : cgroups()) {
      if (!before.things.contains("cgroup " + cgroup)) {
        cgroup.toFile().delete();
      }
    }
    for (String thing : things) {
      if (!before.things.contains(thing) && (thing.startsWith("runc state ") || thing.startsWith("fifo "))) {
        Scratch.remove(Path.of(thing.substring(thing.indexOf('/'))));
      }
    }
  }

  /** The sockets of our Go shims that somebody listens on, or that nobody does. */
  private static List<Path> goSockets(boolean listenedOn) {
    var ours = Names.among(entries(Names.GO_SOCKETS));
    if (ours.isEmpty()) {
      return ours;
    }
    var listening = Proc.listening();
    return ours.stream().filter(socket -> listening.contains(socket.toString()) == listenedOn).toList();
  }

  /** Cgroups of containers in our namespaces, over all hierarchies. */
  private static List<Path> cgroups() {
    var found = new ArrayList<Path>();
    var roots = new ArrayList<>(entries(CGROUPS));
    roots.add(CGROUPS);
    for (Path root : roots) {
      for (Path parent : entries(root)) {
        if (parent.getFileName().toString().startsWith(Names.PREFIX)) {
          entries(parent).stream().filter(LeftOvers::isCgroup).forEach(found::add);
        }
      }
    }
    return found;
  }

  /** Not a directory that a runtime has made where it took a cgroup to be. */
  private static boolean isCgroup(Path path) {
    try {
      return Files.isDirectory(path) && Files.getFileStore(path).type().startsWith("cgroup");
    } catch (IOException e) {
      return false; // gone meanwhile
    }
  }

  /** Removes what others leave per namespace: runc empty cgroups and state directories, Go shims dead sockets. */
  static void removeNamespaces() {
    for (Path socket : goSockets(false)) {
      socket.toFile().delete();
    }
    var roots = new ArrayList<>(entries(CGROUPS));
    roots.add(CGROUPS);
    roots.add(Names.RUNC_ROOT);
    for (Path root : roots) {
      for (Path parent : entries(root)) {
        if (parent.getFileName().toString().startsWith(Names.PREFIX)) {
          parent.resolve(".empty-directory").toFile().delete();
          parent.toFile().delete();
        }
      }
    }
  }

  /** Our descendants, and whatever shows our directory or one of our cgroups. */
  static TreeMap<Long, Proc.Info> ourProcesses() {
    var all = Proc.all();
    long self = ProcessHandle.current().pid();
    var found = new TreeMap<Long, Proc.Info>();
    for (var info : all.values()) {
      boolean ours = info.commandLine().contains(Scratch.BASE.toString())
          || info.directory().startsWith(Scratch.BASE.toString())
          || info.cgroups().contains(Names.PREFIX) || descends(info, self, all)
          || Proc.environment(info.pid()).contains(Scratch.BASE.toString());
      // a test may have started containerd or dockerd anew; its end is not this test's business
      boolean server = info.parent() == self
          && (info.commandLine().startsWith(Containerd.PROGRAM + " ") || Docker.isDaemon(info));
      if (ours && info.pid() != self && !server) {
        found.put(info.pid(), info);
      }
    }
    return found;
  }

  private static boolean descends(Proc.Info info, long ancestor, Map<Long, Proc.Info> all) {
    var seen = new HashSet<Long>();
    for (var at = info; at != null && seen.add(at.pid()); at = all.get(at.parent())) {
      if (at.parent() == ancestor) {
        return true;
      }
    }
    return false;
  }

  /** Counts descriptors by what they are; what a JVM opens once and keeps is left out. */
  private static Map<String, Integer> kinds(List<String> files) {
    var kinds = new TreeMap<String, Integer>();
    for (String file : files) {
      if (!file.endsWith(".jar") && !file.endsWith("/modules") && !file.endsWith("random")
          && !file.contains("/.java_pid")) {
        kinds.merge(kind(file), 1, Integer::sum);
      }
    }
    return kinds;
  }

  /** {@code pipe}, {@code socket}, {@code anon_inode:[pidfd]}, a path. */
  private static String kind(String file) {
    String target = file.substring(file.indexOf(' ') + 1);
    if (target.startsWith("socket:")) {
      return target.endsWith(Proc.NO_PATH) ? OUTGOING : "socket";
    }
    return target.startsWith("pipe:") ? "pipe" : target;
  }

  private static List<Path> entries(Path directory) {
    var found = new ArrayList<Path>();
    if (!Files.isDirectory(directory)) {
      return found;
    }
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(found::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }
}
