package io.loomshim.launcher;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * The daemon's side of the agreement with the launcher and nothing else: listens, publishes itself in
 * the run directory, writes its line to stdout and closes it. Runs in a JVM of its own until it is killed.
 */
final class StandInDaemon {
  private static final long LIFE_MILLIS_MAX = 120_000; // outlives every test, not the machine

  private StandInDaemon() {}

  public static void main(String[] args) throws Exception {
    Path run = null;
    for (int i = 0; i + 1 < args.length; i++) {
      if (args[i].equals("-run-dir")) {
        run = Path.of(args[i + 1]);
      }
    }
    if (run == null) {
      throw new IllegalArgumentException("no -run-dir");
    }
    Files.write(run.resolve("arguments"), List.of(args));
    Path socket = socket(ProcessHandle.current().pid());
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Selector selector = Selector.open()) {
      server.bind(UnixDomainSocketAddress.of(socket));
      socket.toFile().deleteOnExit();
      String line = ProcessHandle.current().pid() + " " + startTime() + " unix://" + socket + "\n";
      Path draft = run.resolve(".daemon");
      Files.writeString(draft, line);
      Files.move(draft, run.resolve("daemon"), StandardCopyOption.ATOMIC_MOVE);
      ready(line);
      server.configureBlocking(false);
      server.register(selector, SelectionKey.OP_ACCEPT);
      if (selector.select(LIFE_MILLIS_MAX) > 0) {
        withChild(run);
      }
    }
  }

  /** Where the daemon with this pid listens: run directories of tests have names too long for a socket. */
  static Path socket(long pid) {
    return Path.of(System.getProperty("java.io.tmpdir"), "loomshim-test-" + pid + ".sock");
  }

  /** Serves a child, as a daemon with a container does, until its stdin closes with this process. */
  private static void withChild(Path run) throws Exception {
    Process child = new ProcessBuilder("sh", "-c", "echo $PPID > child; exec cat").directory(run.toFile()).start();
    child.waitFor();
  }

  private static String startTime() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    return stat.substring(stat.lastIndexOf(") ") + 2).split(" ")[19];
  }

  /** The end of this pipe tells the launcher to read the line; the JDK puts /dev/null in its place. */
  private static void ready(String line) throws IOException {
    try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
      out.write(line.getBytes(StandardCharsets.UTF_8));
    }
  }
}
