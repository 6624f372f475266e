package io.loomshim.daemon;

import java.nio.file.Path;
import java.time.Duration;

/**
 * What the launcher tells a daemon: {@code -namespace NS -address ADDR -run-dir DIR -linger SECONDS -mode MODE
 * -threads KIND -runc-timeout SECONDS -stuck SECONDS [-kill-exec-tree] [-debug]}.
 *
 * @param namespace the containerd namespace that it serves
 * @param address containerd's gRPC socket
 * @param runDirectory where it meets the launcher
 * @param linger how long it stays without a container
 * @param mode for whom there is a daemon; the launcher has chosen the run directory by it
 * @param threads how threads are made, as {@link io.loomshim.threads.Threads#use} takes it
 * @param stuck how long a call may be in flight before it is logged, zero for as long as it likes
 * @param killExecTree whether what an exec has started ends with it
 * @param debug whether lines of level debug are logged
 * @param runcTimeout how long most commands of runc may take, at least a second
 */
record Arguments(String namespace, String address, Path runDirectory, Duration linger, String mode, String threads,
    Duration stuck, boolean killExecTree, boolean debug, Duration runcTimeout) {
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
    String mode = "namespace";
    String threads = "virtual";
    String stuck = "30";
    boolean killExecTree = false;
    boolean debug = false;
    String runcTimeout = "60";
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "-debug" -> debug = true;
        case "-namespace" -> namespace = value(args, ++i);
        case "-address" -> address = value(args, ++i);
        case "-run-dir" -> runDirectory = value(args, ++i);
        case "-linger" -> linger = value(args, ++i);
        case "-mode" -> mode = value(args, ++i);
        case "-threads" -> threads = value(args, ++i);
        case "-stuck" -> stuck = value(args, ++i);
        case "-kill-exec-tree" -> killExecTree = true;
        case "-runc-timeout" -> runcTimeout = value(args, ++i);
        default -> throw new IllegalArgumentException("unknown argument " + args[i]);
      }
    }
    if (namespace.isEmpty()) {
      throw new IllegalArgumentException("shim namespace cannot be empty");
    }
    if (runDirectory.isEmpty()) {
      throw new IllegalArgumentException("-run-dir is missing");
    }
    return new Arguments(namespace, address, Path.of(runDirectory), seconds("linger_seconds", linger, 0), mode, threads,
        seconds("stuck_seconds", stuck, 0), killExecTree, debug, seconds("runc_timeout_seconds", runcTimeout, 1));
  }

  private static Duration seconds(String name, String text, int min) {
    int seconds = -1;
    try {
      seconds = Integer.parseInt(text);
    } catch (NumberFormatException e) {
      // told below
    }
    if (seconds < min) {
      throw new IllegalArgumentException(name + " is not a number of seconds: " + text);
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
