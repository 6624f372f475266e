package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A daemon for one test alone, with settings of its own. Used by the test's thread; {@link #close} ends it. */
public final class OwnDaemon implements AutoCloseable {
  private final Path directory = Scratch.directory("own");
  private final Shims shims;
  private final Map<String, String> settings;
  private Install.Daemon daemon;

  public OwnDaemon(Path rootfs) {
    this(rootfs, Map.of());
  }

  /** {@code settings} are those that differ from the usual ones. */
  public OwnDaemon(Path rootfs, Map<String, String> settings) {
    this.settings = settings;
    try {
      shims = new Shims(directory, rootfs);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Shims shims() {
    return shims;
  }

  public Path directory() {
    return directory;
  }

  /** Connects for a container that is to be created. */
  public ShimClient open(String... command) {
    return open(shims.bundle(Names.id("own"), command));
  }

  public ShimClient open(Bundle bundle) {
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
  public ShimClient running(String... command) {
    var task = open(command);
    task.create();
    task.start();
    return task;
  }

  public long pid() {
    return daemon.pid();
  }

  public Install.Daemon daemon() {
    return daemon;
  }

  /** The process that serves now: another one after each take-over. */
  public long current() {
    try {
      return Long.parseLong(Files.readString(daemon.directory().resolve("daemon")).split(" ")[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The process that starts the next daemon, with take_over. */
  public long holder() {
    return Death.holder(daemon.directory());
  }

  /** Kills the daemon with SIGKILL, and waits until that is seen. */
  public void kill() {
    Death.of(current());
  }

  /** What happens while there is no daemon. */
  public interface Meanwhile {
    void run() throws Exception;
  }

  /** The same; {@code meanwhile} is done before the next daemon is started. */
  public void kill(Meanwhile meanwhile) throws Exception {
    Death.<Exception>of(current(), holder(), meanwhile::run);
  }

  private void endSuccessor() {
    if (settings.getOrDefault("take_over", "").equals("true") && Files.exists(daemon.directory().resolve("daemon"))) {
      long pid = current();
      if (Proc.alive(pid)) {
        Proc.terminate(pid);
        Await.until("the daemon has ended", () -> !Proc.alive(pid));
      }
    }
  }

  @Override
  public void close() {
    if (daemon != null) {
      endSuccessor();
    }
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
