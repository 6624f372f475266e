package io.loomshim.cgroup;

import io.loomshim.linux.EventFd;
import io.loomshim.linux.Fd;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Wakes an {@link OomWatch} on cgroup v1: the kernel counts up an eventfd on each lack of memory, and when the
 * cgroup is removed (kernel: cgroup-v1/memory.rst, section 10). One virtual thread, {@code oom/ID}, waits for it.
 */
final class OomNotifier implements AutoCloseable {
  private final EventFd event;
  private final Path directory;
  private final OomWatch watch;
  private Thread thread;

  private OomNotifier(EventFd event, Path directory, OomWatch watch) {
    this.event = event;
    this.directory = directory;
    this.watch = watch;
  }

  static OomNotifier start(String id, Cgroup cgroup, OomWatch watch) throws IOException {
    Path directory = cgroup.directories().get("memory");
    if (directory == null) {
      throw new IOException("cgroups: memory cgroup not supported on this system");
    }
    EventFd event = EventFd.open();
    try (Fd control = Fd.open(directory.resolve("memory.oom_control").toString(), Fd.O_RDONLY, 0)) {
      // the kernel reads all of it in one write
      byte[] registration = (event.number() + " " + control.number()).getBytes(StandardCharsets.US_ASCII);
      Files.write(directory.resolve("cgroup.event_control"), registration);
    } catch (IOException e) {
      event.close();
      throw e;
    }
    var notifier = new OomNotifier(event, directory, watch);
    notifier.thread = Threads.start("oom/" + id, notifier::run);
    return notifier;
  }

  private void run() {
    try {
      while (Files.exists(directory)) {
        event.await();
        watch.check();
      }
    } catch (IOException | InterruptedException e) {
      // closed, or the cgroup is gone
    } finally {
      event.close();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
