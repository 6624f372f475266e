package io.loomshim.metrics;

import io.loomshim.log.Log;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the daemon lacks at this moment because the system has none left (an inotify watch, for example), and what it
 * does instead. Each shortage is logged once and appears in {@code inspect}. One registry for the process; may be used
 * from any thread; no lock.
 */
public final class Shortages {
  private static final ConcurrentHashMap<String, String> NOW = new ConcurrentHashMap<>();

  private Shortages() {}

  /** Notes that there is no {@code what}, because of {@code error}; {@code instead} says what happens until it ends. */
  public static void begin(String what, String instead, Throwable error) {
    if (NOW.putIfAbsent(what, instead) == null) {
      Log.warn("no " + what + ": " + instead, "error", String.valueOf(error.getMessage()));
    }
  }

  /** Notes that there is {@code what}; ends a shortage if there was one. */
  public static void end(String what) {
    if (!NOW.isEmpty() && NOW.remove(what) != null) {
      Log.info(what + " again");
    }
  }

  /** The shortages, sorted, each with what happens instead. */
  public static Map<String, String> now() {
    return new TreeMap<>(NOW);
  }
}
