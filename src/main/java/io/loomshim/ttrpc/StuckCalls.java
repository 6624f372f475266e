package io.loomshim.ttrpc;

import io.loomshim.log.Log;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Logs each call of a server that has been in flight for longer than a limit, once, with the stack of its thread. Runs
 * on the thread {@code deadlines}. A look that finds no call sets no timer, and the next call sets it; so a server
 * without calls is not woken.
 *
 * <p>No call is missed: a call is listed as in flight before it reads {@code armed}, and a look that finds none clears
 * {@code armed} before it reads the list once more. A call pays that one read.
 */
final class StuckCalls implements Runnable {
  /** Calls of one look that are logged with their stack, enough to see the cause; the rest is only counted. */
  static final int STACKS_MAX = 32;

  /** Frames of a stack in the log, from the first one that is not of the JDK. */
  static final int FRAMES_MAX = 16;

  private final InFlight inFlight;
  private final Deadlines deadlines;
  private final long limitNanos;
  private final AtomicBoolean armed = new AtomicBoolean(); // a look is due, or under way

  // Of the thread that looks.
  private Set<Call> told = Set.of();

  StuckCalls(InFlight inFlight, Deadlines deadlines, Duration limit) {
    this.inFlight = inFlight;
    this.deadlines = deadlines;
    this.limitNanos = limit.toNanos();
  }

  /** Sets the timer if needed. The call must be listed as in flight by now. */
  void entered(Call call) {
    if (!armed.get() && countable(call) && armed.compareAndSet(false, true)) {
      deadlines.in(limitNanos, this);
    }
  }

  private static boolean countable(Call call) {
    return !call.endless();
  }

  @Override
  public void run() {
    try {
      OptionalLong next = look();
      if (next.isEmpty()) {
        armed.set(false);
        next = look();
        if (next.isEmpty() || !armed.compareAndSet(false, true)) {
          return;
        }
      }
      deadlines.in(next.getAsLong(), this);
    } catch (RuntimeException | Error e) {
      armed.set(false);
      Log.error("ttrpc: cannot log stuck calls", "error", e.toString());
    }
  }

  /** Logs the stuck calls; returns the nanoseconds until the next call counts as stuck, if there is one. */
  private OptionalLong look() {
    Set<Call> stuck = new HashSet<>();
    OptionalLong next = OptionalLong.empty();
    int found = 0;
    for (Call call : inFlight.list()) { // the oldest first
      if (!countable(call)) {
        continue;
      }
      long left = call.startNanos() + limitNanos - System.nanoTime();
      if (left > 0) {
        next = OptionalLong.of(left);
        break;
      }
      stuck.add(call);
      if (!told.contains(call)) {
        found++;
        if (found <= STACKS_MAX) {
          tell(call);
        }
      }
    }
    told = stuck;
    if (found > STACKS_MAX) {
      Log.warn("more stuck calls", "count", Integer.toString(found - STACKS_MAX));
    }
    return next;
  }

  private static void tell(Call call) {
    String age = String.format(Locale.ROOT, "%.1f s", call.age().toMillis() / 1e3);
    var fields = new ArrayList<>(call.subject().fields());
    fields.addAll(List.of("method", call.method(), "age", age, "connection", Long.toString(call.connection()), "stack",
        text(call.stack())));
    Log.warn("call is stuck", fields.toArray(new String[0]));
  }

  /** The stack without the frames of the JDK at its top, which say only that the thread waits. */
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
