package io.loomshim.integration.files;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.linux.Fd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A file system that answers nothing: FUSE whose server never reads a request (fuse(4)). Whoever looks anything up in
 * it waits, and can be killed, until {@link #close}; then he gets an error. Nothing in it may be touched by the test's
 * own threads. Used by one thread.
 */
final class HungFiles implements AutoCloseable {
  private final Path directory;
  private final Fd server;

  private HungFiles(Path directory, Fd server) {
    this.directory = directory;
    this.server = server;
  }

  /** Mounts one on {@code directory}, which this makes. */
  static HungFiles mount(Path directory) {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "no FUSE here");
    try {
      Files.createDirectories(directory);
      Fd server = Fd.open("/dev/fuse", Fd.O_RDWR | Fd.O_NONBLOCK, 0);
      io.loomshim.mount.Mounts.mount("fuse", "hung", directory,
          List.of("fd=" + server.number(), "rootmode=40000", "user_id=0", "group_id=0", "allow_other"), List.of());
      return new HungFiles(directory, server);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The path of something that nobody will ever know whether it is there. */
  String path(String name) {
    return directory.resolve(name).toString();
  }

  /** Everybody who waits gets an error (ENOTCONN). */
  @Override
  public void close() {
    try {
      server.close();
      io.loomshim.mount.Mounts.unmountAll(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
