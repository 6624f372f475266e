package io.loomshim.bench.loom;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Keeps the benchmark from waiting for ever: a thread of its own does what may hang, and is interrupted at a limit. */
final class Bound {
  private Bound() {}

  /** The result of {@code work}; an interrupt must end it, as it ends whatever uses a channel of the JDK. */
  static <R> R within(Duration limit, Callable<R> work) throws IOException, InterruptedException {
    try (var pool = Executors.newSingleThreadExecutor()) {
      var result = pool.submit(work);
      try {
        return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        result.cancel(true);
        throw new IOException("no answer within " + limit.toSeconds() + " s");
      } catch (ExecutionException e) {
        throw new IOException(e.getCause());
      }
    }
  }
}
