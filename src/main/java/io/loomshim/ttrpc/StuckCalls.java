package io.loomshim.ttrpc;

import io.loomshim.log.Log;
import java.time.Duration;
import java.util.Locale;

/**
 * Logs each call of a {@link Server} once that has been in flight for longer than a limit, with the stack of its
 * thread. Runs on the thread {@code deadlines}, which has a timer for it only from the first call after a look until
 * the next look: a server without calls is not woken.
 *
 * <p>No call is missed: it is listed as in flight before it looks at {@code armed}, and a look clears {@code armed}
 * before it reads the list. What a call costs is that one read.
 */
final class StuckCalls extends Timed {
  /** Calls of one look that are logged with their stack; of the rest only the number: enough to see why. */
  static final int STACKS_MAX = 32;

  /** Frames of a stack in the log, from the first one on that is not of the JDK. */
  static final int FRAMES_MAX = 16;

  private final Server server;
  private final long limitNanos;
  private volatile boolean armed;

  // Guarded by the lock of Deadlines.
  long dueNanos;

  StuckCalls(Server server, Duration limit) {
    this.server = server;
    this.limitNanos = limit.toNanos();
  }

  /** A call is listed as in flight now. */
  void entered(Call call) {
    if (!armed && countable(call)) {
      armed = true;
      server.deadlines().set(this, System.nanoTime() + limitNanos);
    }
  }

  private static boolean countable(Call call) {
    return !call.endless();
  }

  @Override
  long dueNanos() {
    return dueNanos;
  }

  @Override
  void expire() {
    try {
      look();
    } catch (RuntimeException | Error e) {
      Log.error("ttrpc: stuck calls cannot be told", "error", e.toString());
    }
  }

  private void look() {
    armed = false;
    long now = System.nanoTime();
    int told = 0;
    for (Call call : server.inFlight()) { // the oldest first
      if (!countable(call) || call.toldStuck) {
        continue;
      }
      long left = call.startNanos() + limitNanos - now;
      if (left > 0) {
        armed = true;
        server.deadlines().set(this, now + left);
        break;
      }
      call.toldStuck = true;
      told++;
      if (told <= STACKS_MAX) {
        tell(call);
      }
    }
    if (told > STACKS_MAX) {
      Log.warn("more calls are stuck", "count", Integer.toString(told - STACKS_MAX));
    }
  }

  private static void tell(Call call) {
    String age = String.format(Locale.ROOT, "%.1f s", call.age().toMillis() / 1e3);
    Log.warn("call is stuck", "id", call.container(), "exec", call.exec(), "method", call.method(), "age", age,
        "connection", Long.toString(call.connection()), "stack", text(call.stack()));
  }

  /** Without the frames of the JDK at its top, which say only that it waits. */
  static String text(StackTraceElement[] stack) {
    int first = 0;
    while (first < stack.length && isOfJdk(stack[first].getClassName())) {
      first++;
    }
    first = first == stack.length ? 0 : first;
    var text = new StringBuilder();
    for (int i = first; i < Math.min(stack.length, first + FRAMES_MAX); i++) {
      text.append(i == first ? "" : " < ").append(stack[i]);
    }
    return text.toString();
  }

  private static boolean isOfJdk(String className) {
    return className.startsWith("java.") || className.startsWith("jdk.") || className.startsWith("sun.");
  }
}
