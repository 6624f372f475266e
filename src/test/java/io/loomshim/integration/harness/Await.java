package io.loomshim.integration.harness;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.awaitility.core.ConditionTimeoutException;

/** Waits of the tests, all with one limit that a busy machine can keep. */
public final class Await {
  /** An emulated machine is slower by a factor: {@code -Dloomshim.slow=N}. */
  private static final int SLOW = Integer.getInteger("loomshim.slow", 1);

  public static final Duration LIMIT = seconds(30);

  private Await() {}

  /** A limit that a machine of ordinary speed keeps, for this one. */
  public static Duration seconds(int seconds) {
    return Duration.ofSeconds((long) seconds * SLOW);
  }

  public static void until(String what, BooleanSupplier condition) {
    await(what).atMost(LIMIT).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10))
        .until(condition::getAsBoolean);
  }

  /** Waits up to {@code limit}; false when the condition never held. */
  public static boolean within(Duration limit, BooleanSupplier condition) {
    try {
      await().atMost(limit).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10))
          .until(condition::getAsBoolean);
      return true;
    } catch (ConditionTimeoutException e) {
      return false;
    }
  }

  /** Begins {@code call} on a virtual thread of its own. */
  public static <T> CompletableFuture<T> meanwhile(Supplier<T> call) {
    return CompletableFuture.supplyAsync(call, Thread::startVirtualThread);
  }

  /** Until {@code ctr task ls} shows {@code status} for {@code id}. */
  public static void status(Ctr ctr, String id, String status) {
    until(id + " is " + status, () -> ctr.status(id).equals(status));
  }
}
