package io.loomshim.insight;

import io.loomshim.log.Log;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What this daemon does without at this moment because the system has none left, and what that costs: told once in the
 * log, and to whoever inspects the daemon. The registry of the process; may be used from any thread. There is no lock.
 */
public final class Shortages {
  private static final ConcurrentHashMap<String, String> NOW = new ConcurrentHashMap<>();

  private Shortages() {}

  /** There is no {@code what}, because of {@code error}; until that changes, {@code instead} is how things are. */
  public static void begin(String what, String instead, Throwable error) {
    if (NOW.putIfAbsent(what, instead) == null) {
      Log.warn("no " + what + ": " + instead, "error", String.valueOf(error.getMessage()));
    }
  }

  /** There is {@code what} again, or as ever. */
  public static void end(String what) {
    if (!NOW.isEmpty() && NOW.remove(what) != null) {
      Log.info(what + " again");
    }
  }

  /** What is missing, in order, with what is done instead. */
  public static Map<String, String> now() {
    return new TreeMap<>(NOW);
  }
}
