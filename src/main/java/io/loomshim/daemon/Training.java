package io.loomshim.daemon;

import com.google.protobuf.Empty;
import io.loomshim.linux.Mounts;
import io.loomshim.proto.events.ForwardRequest;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A dry run for the start-up archive: a daemon of its own in a temporary directory, somebody who takes its events, and
 * a client that plays the life of a container with a runtime that only pretends. What it comes through is in the
 * archive; all else is read from the jar when it is first needed, a millisecond for each class or two. Run by the
 * installer.
 */
final class Training {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private Training() {}

  static void run() throws InterruptedException {
    try {
      Path directory = Files.createTempDirectory("loomshim-train");
      try {
        train(directory);
        remove(directory);
      } catch (IOException | RuntimeException e) {
        abandon(directory, e);
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      System.err.println("training failed: " + e);
      System.exit(1);
    }
    System.exit(0);
  }

  private static void train(Path directory) throws IOException, InterruptedException {
    Path events = directory.resolve("events");
    try (var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(events));
        Server containerd = new Server(listener, List.of(eventService()))) {
      containerd.start();
      var arguments = Arguments.parse(
          new String[] {"-namespace", "train", "-address", events.toString(), "-run-dir", directory.toString(),
            "-linger", "0"});
      Daemon daemon = Daemon.start(arguments, events.toString());
      Thread running = Threads.start("daemon", () -> serve(daemon));
      Path socket = Path.of(daemon.record().substring(daemon.record().indexOf("unix://") + "unix://".length()));
      try (Client client = Client.connect(socket, TIMEOUT);
          var task = new TrainingTask(client, directory)) {
        task.live();
      }
      running.join();
    }
  }

  private static Service eventService() {
    return new Service("containerd.services.events.ttrpc.v1.Events")
        .method("Forward", ForwardRequest.parser(), (call, request) -> Empty.getDefaultInstance());
  }

  private static void serve(Daemon daemon) {
    try {
      daemon.run();
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts this thread", e);
    }
  }

  /** The daemon is gone with its container half-way. */
  private static void abandon(Path directory, Exception reason) throws InterruptedException {
    try {
      Mounts.unmountAll(directory.resolve("bundle").resolve("rootfs"));
      remove(directory);
    } catch (IOException e) {
      reason.addSuppressed(e);
    }
  }

  private static void remove(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(directory)) {
      files = all.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
  }
}
