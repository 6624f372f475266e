package io.loomshim.training;

import com.google.protobuf.Empty;
import io.loomshim.daemon.Arguments;
import io.loomshim.daemon.Carriers;
import io.loomshim.daemon.Daemon;
import io.loomshim.mount.Mounts;
import io.loomshim.proto.events.ForwardRequest;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import io.loomshim.ttrpc.SocketDoor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A dry run for the start-up archive, run by the installer. It starts a daemon in a temporary directory, a server that
 * takes its events, and a client that goes through the life of a container with a runtime of a few lines of shell; then
 * one that takes over. The classes that this loads go into the archive, with what the JVM has made of them, such as
 * lambdas. The rest of the daemon's classes are added: what a real container needs besides would be read from the jar,
 * which takes 10 ms for the first class and a millisecond for each two after it.
 */
public final class Training {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** Of the jar: no messages but those of the record, not the commands, not this. */
  private static final Pattern DAEMON_CLASS =
      Pattern.compile("(io/loomshim/(?!proto/(?!record/)|cli/|inspect/|training/|toml/|checkpoint/|metrics/Events).*)"
          + "\\.class(?<!package-info\\.class)");

  private Training() {}

  /** Does the dry run and ends the JVM, with status 1 when a step failed. */
  public static void main(String[] args) throws InterruptedException {
    Carriers.reserve(); // before the first virtual thread
    try {
      Path directory = Files.createTempDirectory("loomshim-train");
      try {
        train(directory);
        loadOfTheJdk(directory);
        loadTheRest();
        remove(directory);
      } catch (IOException | ClassNotFoundException | RuntimeException e) {
        abandon(directory, e);
        throw e;
      }
    } catch (IOException | ClassNotFoundException | RuntimeException e) {
      System.err.println("training failed: " + e);
      System.exit(1);
    }
    System.exit(0);
  }

  private static void train(Path directory) throws IOException, InterruptedException {
    Path events = directory.resolve("events");
    try (Server containerd = new Server(SocketDoor.listen(events), List.of(eventService()))) {
      containerd.start();
      var arguments = Arguments.parse(
          new String[] {"-namespace", "train", "-address", events.toString(), "-run-dir", directory.toString(),
            "-linger", "0"});
      Daemon daemon = Daemon.start(arguments, events.toString());
      Thread running = Threads.start("daemon", () -> serve(daemon));
      try (Client client = Client.connect(daemon.record().socket(), TIMEOUT);
          var task = new TrainingTask(client, directory)) {
        task.live();
      }
      running.join();
      succeed(directory, events);
    }
  }

  /** An archive without the classes of a take-over is better than none. */
  private static void succeed(Path directory, Path events) throws InterruptedException {
    try {
      Path own = Files.createDirectory(directory.resolve("heir"));
      new TrainingSuccession(own, directory.resolve(TrainingTask.RUNTIME_NAME), events).live();
    } catch (IOException | RuntimeException e) {
      System.err.println("training without a take-over: " + e);
    }
  }

  /** Classes of the JDK that a life of a real container needs besides: for NativeDelete, and for the ready line. */
  private static void loadOfTheJdk(Path directory) throws IOException {
    Files.newDirectoryStream(directory).close();
    new LinkedHashMap<>(Map.of("", "")).values().iterator().next();
    new FileOutputStream("/dev/null").close();
  }

  /** Loads all classes of the daemon, not initialized; messages only come with the calls that need them. */
  private static void loadTheRest() throws IOException, ClassNotFoundException {
    try (var jar = new JarFile(System.getProperty("java.class.path"))) {
      for (JarEntry entry : Collections.list(jar.entries())) {
        Matcher name = DAEMON_CLASS.matcher(entry.getName());
        if (name.matches()) {
          Class.forName(name.group(1).replace('/', '.'), false, Training.class.getClassLoader());
        }
      }
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
      throw new AssertionError("this thread is never interrupted", e);
    }
  }

  /** Removes what a failed run has left: the mount of its container and the directory. */
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
