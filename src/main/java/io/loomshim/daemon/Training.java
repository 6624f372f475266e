package io.loomshim.daemon;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.ConnectResponse;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.CreateTaskResponse;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.StatusException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A dry run for the start-up archive: a daemon of its own in a temporary directory, a client that asks it a few
 * things, and a Create that goes as far as a runtime that does nothing lets it. Run by the installer.
 */
final class Training {
  private static final String TASK = "containerd.task.v2.Task";
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private Training() {}

  static void run() throws InterruptedException {
    try {
      Path directory = Files.createTempDirectory("loomshim-train");
      try {
        train(directory);
      } finally {
        remove(directory);
      }
    } catch (IOException e) {
      System.err.println("training failed: " + e);
      System.exit(1);
    }
    System.exit(0);
  }

  private static void train(Path directory) throws IOException, InterruptedException {
    var arguments = new Arguments("train", "", directory, Duration.ZERO, false);
    Daemon daemon = Daemon.start(arguments);
    Thread running = Threads.start("daemon", () -> serve(daemon));
    Path socket = Path.of(daemon.record().substring(daemon.record().indexOf("unix://") + "unix://".length()));
    try (Client client = Client.connect(socket, TIMEOUT)) {
      var connect = ConnectRequest.newBuilder().setId("train").build();
      client.call(TASK, "Connect", connect, ConnectResponse.parser(), TIMEOUT, Map.of());
      create(client, directory);
      client.call(TASK, "Shutdown", ShutdownRequest.getDefaultInstance(), Empty.parser(), TIMEOUT, Map.of());
    }
    running.join();
  }

  private static void create(Client client, Path directory) throws IOException, InterruptedException {
    Path bundle = Files.createDirectory(directory.resolve("bundle"));
    Files.writeString(bundle.resolve("config.json"), "{\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}");
    Options options = Options.newBuilder().setBinaryName("/bin/true").setRoot(bundle.toString()).build();
    var create =
        CreateTaskRequest.newBuilder()
            .setId("train")
            .setBundle(bundle.toString())
            .setOptions(
                Any.newBuilder().setTypeUrl("containerd.runc.v1.Options").setValue(options.toByteString()))
            .build();
    try {
      client.call(TASK, "Create", create, CreateTaskResponse.parser(), TIMEOUT, Map.of());
    } catch (StatusException e) {
      // this runtime writes no pid file
    }
    try {
      var state = StateRequest.newBuilder().setId("train").build();
      client.call(TASK, "State", state, StateResponse.parser(), TIMEOUT, Map.of());
    } catch (StatusException e) {
      // and so there is no container
    }
  }

  private static void serve(Daemon daemon) {
    try {
      daemon.run();
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts this thread", e);
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
