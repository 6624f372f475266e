package io.loomshim.task;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.google.protobuf.Empty;
import io.loomshim.container.Containers;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.process.Self;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.task.CreateTaskRequest;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.StartRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.WaitRequest;
import io.loomshim.record.Journal;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncLimits;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.Service;
import io.loomshim.ttrpc.SocketDoor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Methods that are answered on the thread that reads the connection: whichever they are, they answer while everything
 * that a call could wait for is held, a creation that is under way and the locks of a container whose runtime hangs.
 */
@Timeout(60)
final class ImmediateTest {
  /** An answer takes less than a millisecond; what is held here is held until it has come. */
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private static final String RUNTIME = """
      #!/bin/sh
      pid= before=
      for word in "$@"; do [ "$before" = --pid-file ] && pid=$word; before=$word; done
      case " $* " in
      *" create "*) sleep 1000 & printf %d $! >"$pid" ;;
      *" start "*) : >"$0.hangs"; exec sleep 1000 ;;
      *" kill "* | *" delete "*) read -r pid <init.pid || [ -n "$pid" ] && kill -9 "$pid" ;;
      esac
      """;

  @TempDir Path directory;

  private final CountDownLatch held = new CountDownLatch(1);

  /** The names of the immediate methods of {@code service}. */
  private static List<String> immediate(Service service) throws Exception {
    var field = Service.class.getDeclaredField("methods");
    field.setAccessible(true);
    var names = new ArrayList<String>();
    for (var entry : ((Map<?, ?>) field.get(service)).entrySet()) {
      var kind = entry.getValue().getClass().getDeclaredMethod("kind");
      kind.setAccessible(true);
      if (kind.invoke(entry.getValue()).toString().equals("IMMEDIATE")) {
        names.add((String) entry.getKey());
      }
    }
    return names;
  }

  private CreateTaskRequest create(String id, Path runtime) throws Exception {
    Path bundle = Files.createDirectory(directory.resolve(id));
    var options = Options.newBuilder().setBinaryName(runtime.toString()).setRoot(directory.resolve("root").toString());
    return CreateTaskRequest.newBuilder().setId(id).setBundle(bundle.toString())
        .setOptions(com.google.protobuf.Any.newBuilder().setTypeUrl("containerd.runc.v1.Options")
            .setValue(options.build().toByteString())).build();
  }

  private static Thread begin(String name, Call call) {
    return Thread.ofVirtual().name(name).start(() -> {
      try {
        call.run();
      } catch (Exception e) {
        // it ends with the test
      }
    });
  }

  private interface Call {
    void run() throws Exception;
  }

  @Test
  void noMethodThatIsAnsweredByTheReaderWaitsForAnything() throws Exception {
    Self.becomeSubreaper(); // of what the runtime leaves
    Path runtime = Files.writeString(directory.resolve("runc"), RUNTIME);
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));
    var socket = directory.resolve("s");
    var listener = SocketDoor.listen(socket);
    var containers = new Containers("test", Outbox.start("test", ""), Journal.NONE, RuncLimits.DEFAULT, false,
        KnownRuntimes.NONE);
    var tasks = new TaskService(containers, new Slow());
    tasks.create(create("web-1", runtime));
    Thread start = begin("start", () -> tasks.start(StartRequest.newBuilder().setId("web-1").build()));
    Thread creation = begin("create", () -> tasks.create(create("web-2", runtime)));
    await().until(() -> Files.exists(directory.resolve("runc.hangs")) && containers.ids().contains("web-2"));
    List<Service> services = TaskHandlers.services(tasks);
    try (var server = new Server(listener, services, new ErrorCodes())) {
      server.start();
      for (Service service : services) {
        List<String> methods = immediate(service);
        assertFalse(methods.isEmpty());
        for (String method : methods) {
          for (String id : List.of("web-1", "web-2", "web-3")) {
            Code code = answer(socket, service, method, id);
            assertNotEquals(Code.DEADLINE_EXCEEDED, code, method + " of " + id + " waits");
          }
        }
      }
    } finally {
      held.countDown();
      start.interrupt();
      creation.interrupt();
      start.join();
      creation.join();
      tasks.kill(KillRequest.newBuilder().setId("web-1").setSignal(9).build());
      tasks.await(WaitRequest.newBuilder().setId("web-1").build());
    }
  }

  /** The id is the first field of every request; a connection of its own, as one that is held up stays so. */
  private static Code answer(Path socket, Service service, String method, String id) throws Exception {
    try (var client = Client.connect(socket, LIMIT)) {
      var request = StateRequest.newBuilder().setId(id).build();
      client.call(service.name(), method, request, Empty.parser(), LIMIT, Map.of());
      return Code.OK;
    } catch (StatusException e) {
      return e.code();
    }
  }

  /** A daemon in which the creation of web-2 takes as long as the test. */
  private final class Slow extends NoHooks {
    @Override
    public void creating(String id, Path bundle) throws InterruptedException {
      if (id.equals("web-2")) {
        held.await();
      }
    }
  }
}
