package io.loomshim.bench.site;

import io.loomshim.bench.figure.Side;
import io.loomshim.bench.proc.Proc;
import io.loomshim.bench.rpc.Task;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A container without containerd between: the shim's program is called as containerd calls it, with the same files
 * open, and the task service by RPC. Its process sleeps. Used from one thread at a time.
 */
public final class Direct implements AutoCloseable {
  private final Site site;
  private final Side side;
  private final Path bundle;
  private final Command command;
  private final RandomAccessFile log;

  private Direct(Site site, Side side, Path bundle, RandomAccessFile log) {
    this.site = site;
    this.side = side;
    this.bundle = bundle;
    this.command = site.in(bundle);
    this.log = log;
  }

  /** Makes the bundle; nothing runs yet. */
  public static Direct prepare(Site site, Side side) throws IOException, InterruptedException {
    Path bundle = site.bundle(side, "/bin/sleep", "100000");
    // containerd keeps the shim's log open for reading and writing
    return new Direct(site, side, bundle, new RandomAccessFile(bundle.resolve("log").toFile(), "rw"));
  }

  public String id() {
    return bundle.getFileName().toString();
  }

  /** Later ones have greater numbers. */
  public int number() {
    return Integer.parseInt(id().replaceAll("\\D", ""));
  }

  public Path bundle() {
    return bundle;
  }

  /** Runs {@code start} of the shim: milliseconds. */
  public double startShim() throws IOException, InterruptedException {
    return command.millis(site.shim(side, bundle, "start"));
  }

  /** Runs {@code delete} of the shim, which removes what is left of a container: milliseconds. */
  public double deleteShim() throws IOException, InterruptedException {
    return command.millis(site.shim(side, bundle, "delete"));
  }

  /** Where the shim listens, once it has been started. */
  public Path socket() throws IOException {
    return Path.of(Files.readString(bundle.resolve("address")).replace("unix://", "").strip());
  }

  /** A connection to the shim. */
  public Task connect(Duration limit) throws IOException {
    return Task.connect(socket(), id(), limit);
  }

  /** The shim process: the parent of the container's first process, else the one that {@code start} has noted. */
  public long shim() throws IOException {
    Path init = bundle.resolve("init.pid");
    return Files.exists(init) ? Proc.parent(Long.parseLong(Files.readString(init).strip()))
        : Long.parseLong(Files.readString(bundle.resolve("shim.pid")).strip());
  }

  /** Removes the bundle, and the socket if nobody else is served there. */
  @Override
  public void close() throws IOException {
    log.close();
    if (!side.shared() && Files.exists(bundle.resolve("address"))) {
      Files.deleteIfExists(socket()); // containerd's part
    }
    Site.remove(bundle);
  }
}
