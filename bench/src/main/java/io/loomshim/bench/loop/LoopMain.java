package io.loomshim.bench.loop;

import io.loomshim.container.Containers;
import io.loomshim.daemon.Arguments;
import io.loomshim.daemon.Carriers;
import io.loomshim.daemon.Daemon;
import io.loomshim.task.TaskService;
import io.loomshim.ttrpc.Server;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The daemon with an event loop for calls. It is the daemon itself, started by its launcher and with everything behind
 * the task service as it is; only its server is closed, and {@link LoopServer} takes the place at the same socket. The
 * product has no setting for this, so two fields of {@link Daemon} are read by reflection.
 */
public final class LoopMain {
  private LoopMain() {}

  /** Runs the daemon and ends the JVM; what it prints is what the launcher waits for. */
  public static void main(String[] args) throws Exception {
    Carriers.reserve();
    try {
      Daemon daemon = start(Arguments.parse(args));
      tell(daemon.record().line());
      daemon.run();
    } catch (IOException | IllegalArgumentException | UnsupportedOperationException e) {
      tell("error: " + e.getMessage());
      Runtime.getRuntime().halt(1);
    }
    Runtime.getRuntime().halt(0);
  }

  private static Daemon start(Arguments arguments) throws IOException, ReflectiveOperationException {
    var tasks = new AtomicReference<TaskService>();
    var server = new LoopServer(new TaskCalls(tasks::get));
    // events do not come before the first container, whose Create comes by the other socket
    Path events = arguments.runDirectory().resolve("e");
    Files.createDirectories(arguments.runDirectory());
    Files.deleteIfExists(events);
    server.listen(events);
    Daemon daemon = Daemon.start(arguments, events.toString());
    field(daemon, "server", Server.class).close();
    tasks.set(new TaskService(field(daemon, "containers", Containers.class), daemon));
    Files.deleteIfExists(daemon.record().socket());
    server.listen(daemon.record().socket());
    return daemon;
  }

  private static <F> F field(Daemon daemon, String name, Class<F> type) throws ReflectiveOperationException {
    Field field = Daemon.class.getDeclaredField(name);
    field.setAccessible(true);
    return type.cast(field.get(daemon));
  }

  private static void tell(String line) {
    try (var out = new FileOutputStream(FileDescriptor.out)) {
      out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // the launcher was killed; the next one finds this daemon by its record
    }
  }
}
