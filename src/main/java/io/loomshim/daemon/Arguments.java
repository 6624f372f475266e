package io.loomshim.daemon;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What the launcher tells a daemon: {@code -namespace NS -address ADDR -run-dir DIR -linger SECONDS -mode MODE
 * -threads KIND -runc-timeout SECONDS -stuck SECONDS [-kill-exec-tree] [-no-native-runc] [-no-early-cgroup-wait]
 * [-no-spawn-apart] [-sealed-runtime WHEN] [-take-over] [-inherit NUMBER [-stand-by NUMBER]] [-journal PATH]
 * [-build ID] [-debug] [-mistake TEXT]...}.
 *
 * @param namespace the containerd namespace that it serves
 * @param address containerd's gRPC socket
 * @param runDirectory the run directory of this daemon
 * @param linger how long it stays without a container
 * @param mode what one daemon serves: {@code namespace}, {@code pod} or {@code container}; the launcher has chosen the
 *     run directory by it
 * @param threads how threads are made, as {@link io.loomshim.threads.Threads#use} takes it
 * @param stuck how long a call may be in flight before it is logged as stuck; zero for no limit
 * @param killExecTree whether the processes that an exec has started are killed when the exec ends
 * @param nativeRunc whether start and delete of a runc that is known need no process
 * @param debug whether lines of level debug are logged
 * @param runcTimeout how long a command of runc may take, at least a second; create, restore and checkpoint get a
 *     multiple of it
 * @param shortcuts what is done to make the commands of runc faster
 * @param survival whether its containers outlive it, and what of an earlier daemon it takes over
 * @param journal the socket of systemd's journal, which gets the lines of the log; empty for none
 * @param build what the launcher is of; empty when it did not say so
 * @param mistakes the lines of loomshim.conf that do not count, each with its place and what counts instead
 */
public record Arguments(String namespace, String address, Path runDirectory, Duration linger, String mode,
    String threads, Duration stuck, boolean killExecTree, boolean nativeRunc, boolean debug, Duration runcTimeout,
    Shortcuts shortcuts, Survival survival, String journal, String build, List<String> mistakes) {
  /**
   * Reads the command line.
   *
   * @throws IllegalArgumentException with a text for the user
   */
  public static Arguments parse(String[] args) {
    String namespace = "";
    String address = "";
    String runDirectory = "";
    String linger = "30";
    String mode = "namespace";
    String threads = "virtual";
    String stuck = "30";
    boolean killExecTree = false;
    boolean nativeRunc = true;
    boolean debug = false;
    String runcTimeout = "60";
    Shortcuts shortcuts = Shortcuts.ALL;
    var mistakes = new ArrayList<String>();
    Survival survival = Survival.NONE;
    String journal = "";
    String build = "";
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
        case "-no-native-runc" -> nativeRunc = false;
        case "-no-early-cgroup-wait" -> shortcuts = shortcuts.withoutEarlyCgroupWait();
        case "-no-spawn-apart" -> shortcuts = shortcuts.withoutSpawnApart();
        case "-sealed-runtime" -> shortcuts = shortcuts.withSealedRuntime(value(args, ++i));
        case "-take-over" -> survival = survival.on();
        case "-inherit" -> survival = survival.inheriting(value(args, ++i));
        case "-stand-by" -> survival = survival.standingBy(value(args, ++i));
        case "-build" -> build = value(args, ++i);
        case "-journal" -> journal = value(args, ++i);
        case "-runc-timeout" -> runcTimeout = value(args, ++i);
        case "-mistake" -> mistakes.add(value(args, ++i));
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
        seconds("stuck_seconds", stuck, 0), killExecTree, nativeRunc, debug,
        seconds("runc_timeout_seconds", runcTimeout, 1), shortcuts, survival, journal, build,
        List.copyOf(mistakes));
  }

  private static Duration seconds(String name, String text, int min) {
    int seconds = -1;
    try {
      seconds = Integer.parseInt(text);
    } catch (NumberFormatException e) {
      // refused below
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
