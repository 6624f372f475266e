package io.loomshim.cgroup;

import io.loomshim.linux.EventFd;
import io.loomshim.linux.Fd;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Wakes an {@link OomWatch} on cgroup v1: the kernel counts up an eventfd on each lack of memory, and when the
 * cgroup is removed (kernel: cgroup-v1/memory.rst, section 10). One virtual thread, {@code oom/ID}, waits for it.
 *
 * <p>The kernel signals before it chooses a victim, writes its report to the console and counts the kill. So one
 * look at the counter is not enough, and a victim whose end is not waited for here would never be told.
 */
final class OomNotifier implements AutoCloseable, Runnable {
  /** Pause before the second look, doubled for each further one: most kills are counted within a millisecond. */
  private static final Duration PAUSE_MIN = Duration.ofMillis(1);

  /** The longest pause: no client waits for the news of a kill that takes this long. */
  private static final Duration PAUSE_MAX = Duration.ofMillis(256);

  /** Looks after one signal, about 10 s: the report of a thousand processes takes that on a serial console. */
  private static final int LOOKS_MAX = 48;

  private final EventFd event;
  private final Path directory;
  private final OomWatch watch;
  private Thread thread;

  private OomNotifier(EventFd event, Path directory, OomWatch watch) {
    this.event = event;
    this.directory = directory;
    this.watch = watch;
  }

  static OomNotifier start(String id, Path directory, OomWatch watch) throws IOException {
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
    notifier.thread = Threads.start("oom/" + id, notifier);
    return notifier;
  }

  /** The thread {@code oom/ID}. */
  @Override
  public void run() {
    try {
      while (Files.exists(directory)) {
        lookUntilCounted(event.await());
      }
    } catch (IOException | InterruptedException e) {
      // closed, or the cgroup is gone
    } finally {
      event.close();
    }
  }

  /** A signal need not mean a kill here: the limit of a cgroup above may be the one that was reached. */
  private void lookUntilCounted(long signals) throws InterruptedException {
    Duration pause = PAUSE_MIN;
    long kills = watch.check();
    for (int looks = 1; looks < LOOKS_MAX && kills < signals && Files.exists(directory); looks++) {
      Thread.sleep(pause);
      pause = pause.compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
      kills += watch.check();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
