package io.loomshim.integration;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;

/** A daemon for one test alone, with settings of its own. Used by the test's thread; {@link #close} ends it. */
final class OwnDaemon implements AutoCloseable {
  private final Path directory = Scratch.directory("own");
  private final Shims shims;
  private final Map<String, String> settings;
  private Install.Daemon daemon;

  OwnDaemon(Path rootfs) {
    this(rootfs, Map.of());
  }

  /** {@code settings} are those that differ from the usual ones. */
  OwnDaemon(Path rootfs, Map<String, String> settings) {
    this.settings = settings;
    try {
      shims = new Shims(directory, rootfs);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Shims shims() {
    return shims;
  }

  Path directory() {
    return directory;
  }

  /** Connects for a container that is to be created. */
  ShimClient open(String... command) {
    return open(shims.bundle(Names.id("own"), command));
  }

  ShimClient open(Bundle bundle) {
    var install = Install.get();
    var all = install.settings();
    all.putAll(settings);
    install.configure(all);
    try {
      var task = shims.start(Shim.tested(), bundle);
      long pid = task.shimPid();
      if (daemon == null) {
        daemon = install.daemonOf(task.socket(), pid);
      }
      return task;
    } finally {
      var usual = install.settings();
      settings.keySet().forEach(name -> usual.putIfAbsent(name, ""));
      install.configure(usual);
    }
  }

  /** A container that runs. */
  ShimClient running(String... command) {
    var task = open(command);
    task.create();
    task.start();
    return task;
  }

  long pid() {
    return daemon.pid();
  }

  Install.Daemon daemon() {
    return daemon;
  }

  @Override
  public void close() {
    if (daemon != null && daemon.alive()) {
      Proc.terminate(daemon.pid());
      if (!Await.within(Await.LIMIT, () -> !daemon.alive())) {
        Proc.kill(daemon.pid());
      }
    }
    shims.close();
    Names.forget(directory.resolve("grpc"));
    Scratch.remove(directory);
  }
}
