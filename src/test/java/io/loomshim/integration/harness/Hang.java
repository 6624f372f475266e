package io.loomshim.integration.harness;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Watches one test. When it has not ended long after it should have, this tells what it and everything that it has
 * started is waiting for, and interrupts it, so that the tests after it have their turn. A thread of its own waits;
 * {@link #close} is called by the thread that is watched.
 */
final class Hang implements AutoCloseable {
  /** Far more than any test takes; {@code -Dloomshim.hang.seconds=N} where a whole run has less. */
  private static final Duration LIMIT = Duration.ofSeconds(Integer.getInteger("loomshim.hang.seconds", 300));
  private static final Duration TOOL_MAX = Await.seconds(10);
  private static final String KERNEL_LINES = "30";

  private final String what;
  private final PrintStream to;
  private final Thread watched = Thread.currentThread();
  private final CountDownLatch end = new CountDownLatch(1);
  private final Thread thread;
  private volatile boolean interrupted;

  private Hang(String what, Duration limit, PrintStream to) {
    this.what = what;
    this.to = to;
    this.thread = Thread.ofPlatform().name("hang").daemon().start(() -> run(limit));
  }

  /** Begins to watch the calling thread, which is about to do {@code what}. */
  static Hang watch(String what) {
    return watch(what, LIMIT, System.err);
  }

  /** The same with a limit of its own and a place for the report. */
  static Hang watch(String what, Duration limit, PrintStream to) {
    return new Hang(what, limit, to);
  }

  private void run(Duration limit) {
    try {
      if (end.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        return;
      }
      to.println("=== " + what + " has not ended after " + limit.toSeconds() + " s");
      report();
      to.println("=== " + what + " is interrupted now");
    } catch (InterruptedException | RuntimeException | AssertionError e) {
      to.println("=== no more can be told: " + e);
    }
    to.flush();
    interrupted = true;
    watched.interrupt();
  }

  /** The test has ended; an interrupt that came too late does not reach what the thread does next. */
  @Override
  public void close() {
    end.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      // the interrupt that it has sent
    }
    if (interrupted) {
      Thread.interrupted();
    }
  }

  private void report() {
    to.println("--- threads of the tests");
    show(ownThreads());
    for (var process : LeftOvers.ourProcesses().values()) {
      to.println("--- process " + process);
      Proc.waits(process.pid()).forEach(to::println);
    }
    if (Shim.tested().ours()) {
      for (var daemon : Install.get().daemons()) {
        to.println("--- threads of the daemon " + daemon.pid());
        Path file = file();
        tool(List.of(Install.jdk() + "/bin/jcmd", Long.toString(daemon.pid()), "Thread.dump_to_file", file.toString()));
        show(file);
        to.println("--- log of the daemon " + daemon.pid());
        show(daemon.directory().resolve("daemon.log"));
      }
    }
    to.println("--- the kernel's last messages");
    tool(List.of("sh", "-c", "dmesg | tail -n " + KERNEL_LINES));
  }

  /** A name for a file that does not exist yet, as dumps of threads want it. */
  private static Path file() {
    return Scratch.BASE.resolve("threads-" + System.nanoTime());
  }

  private static Path ownThreads() {
    Path file = file();
    try {
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .dumpThreads(file.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return file;
  }

  private void tool(List<String> command) {
    try {
      var result = Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), command).await(TOOL_MAX);
      to.print(result.text() + result.errors());
    } catch (AssertionError e) {
      to.println(e.getMessage());
    }
  }

  private void show(Path file) {
    try {
      to.println(Files.readString(file).strip());
    } catch (IOException e) {
      to.println(e);
    }
  }
}
