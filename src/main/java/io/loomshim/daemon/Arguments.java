package io.loomshim.daemon;

import java.nio.file.Path;
import java.time.Duration;

/**
 * What the launcher tells a daemon:
 * {@code -namespace NS -address ADDR -run-dir DIR -linger SECONDS -threads KIND [-debug]}.
 *
 * @param namespace the containerd namespace that it serves
 * @param address containerd's gRPC socket
 * @param runDirectory where it meets the launcher
 * @param linger how long it stays without a container
 * @param threads how threads are made, as {@link io.loomshim.threads.Threads#use} takes it
 * @param debug whether lines of level debug are logged
 */
record Arguments(String namespace, String address, Path runDirectory, Duration linger, String threads,
    boolean debug) {
  /**
   * Reads the command line.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  static Arguments parse(String[] args) {
    String namespace = "";
    String address = "";
    String runDirectory = "";
    String linger = "30";
    String threads = "virtual";
    boolean debug = false;
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "-debug" -> debug = true;
        case "-namespace" -> namespace = value(args, ++i);
        case "-address" -> address = value(args, ++i);
        case "-run-dir" -> runDirectory = value(args, ++i);
        case "-linger" -> linger = value(args, ++i);
        case "-threads" -> threads = value(args, ++i);
        case "-mode" -> value(args, ++i); // the launcher has chosen the run directory by it
        default -> throw new IllegalArgumentException("unknown argument " + args[i]);
      }
    }
    if (namespace.isEmpty()) {
      throw new IllegalArgumentException("shim namespace cannot be empty");
    }
    if (runDirectory.isEmpty()) {
      throw new IllegalArgumentException("-run-dir is missing");
    }
    return new Arguments(namespace, address, Path.of(runDirectory), seconds(linger), threads, debug);
  }

  private static Duration seconds(String text) {
    int seconds = -1;
    try {
      seconds = Integer.parseInt(text);
    } catch (NumberFormatException e) {
      // told below
    }
    if (seconds < 0) {
      throw new IllegalArgumentException("linger_seconds is not a number of seconds: " + text);
    }
    return Duration.ofSeconds(seconds);
  }

  private static String value(String[] args, int at) {
    if (at >= args.length) {
      throw new IllegalArgumentException("no value for " + args[at - 1]);
    }
    return args[at];
  }
}
