package io.loomshim.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Carriers are made before the first virtual thread, so each test has a JVM of its own. */
class CarriersTest {
  private static final int WAKES = 400_000;

  /** After a wake the carrier goes to sleep within this time; the next wake comes before, then or after. */
  private static final int PAUSE_NANOS_MAX = 3_000;

  /** With JDK 21 and a carrier that was held for ever it stood still after some thousand. */
  @Test
  @Timeout(120)
  void aVirtualThreadThatWakesWhileItsCarrierGoesToSleepRuns() throws Exception {
    assertEquals("woken " + WAKES + " times\n", run("1"));
  }

  private static String run(String carriers) throws Exception {
    var command = List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
        "-Djdk.virtualThreadScheduler.parallelism=" + carriers, "-Djdk.virtualThreadScheduler.maxPoolSize=" + carriers,
        Wakes.class.getName());
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      assertTrue(process.waitFor(100, TimeUnit.SECONDS), "a virtual thread has not run again");
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /** Wakes one virtual thread again and again, as the thread {@code poller} does. */
  static final class Wakes {
    private static volatile int asked;
    private static volatile int done;

    private Wakes() {}

    public static void main(String[] args) {
      Carriers.reserve();
      Carriers.keep();
      Thread woken = Thread.ofVirtual().start(Wakes::serve);
      for (int i = 1; i <= WAKES; i++) {
        asked = i;
        LockSupport.unpark(woken);
        while (done != i) {
          Thread.onSpinWait();
        }
        pause(ThreadLocalRandom.current().nextInt(PAUSE_NANOS_MAX));
      }
      System.out.println("woken " + WAKES + " times");
      System.exit(0);
    }

    private static void pause(int nanos) {
      long end = System.nanoTime() + nanos;
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
    }

    private static void serve() {
      while (true) {
        while (asked == done) {
          LockSupport.park();
        }
        done = asked;
      }
    }
  }
}
