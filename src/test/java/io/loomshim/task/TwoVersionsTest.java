package io.loomshim.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Empty;
import io.loomshim.container.Containers;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.event.Outbox;
import io.loomshim.record.Journal;
import io.loomshim.runc.KnownRuntimes;
import io.loomshim.runc.RuncLimits;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.Server;
import io.loomshim.ttrpc.SocketDoor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Version 3 of the task API is version 2 under another name, which is why one service serves both. */
final class TwoVersionsTest {
  private static final Path VERSION_2 = Path.of("src/main/proto/task.proto");
  private static final Pattern MESSAGE = Pattern.compile("message (\\w+) \\{([^}]*)}");
  private static final Pattern FIELD = Pattern.compile("((?:repeated )?(?:map<[^>]+>|[\\w.]+)) (\\w+) = (\\d+);");
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @TempDir Path directory;

  /** What newer versions of containerd send and expect. */
  private static List<String> version3(String kind) throws IOException {
    try (var in = TwoVersionsTest.class.getResourceAsStream("task3.txt")) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return text.lines().filter(line -> line.startsWith(kind + " ")).toList();
    }
  }

  @Test
  void everyMessageOfVersionTwoIsFieldByFieldThatOfVersionThree() throws IOException {
    Set<String> fields = new TreeSet<>();
    MESSAGE.matcher(Files.readString(VERSION_2)).results().forEach(message ->
        FIELD.matcher(message.group(2)).results().forEach(field -> fields.add("field " + message.group(1) + " "
            + field.group(3) + " " + field.group(1).replace(", ", ",") + " " + field.group(2))));
    assertEquals(String.join("\n", new TreeSet<>(version3("field"))), String.join("\n", fields));
  }

  @Test
  void everyMethodAnswersUnderBothNamesAndNoOtherNameDoes() throws Exception {
    var socket = directory.resolve("s");
    var listener = SocketDoor.listen(socket);
    var containers = new Containers("test", Outbox.start("test", ""), Journal.NONE, RuncLimits.DEFAULT, false,
        KnownRuntimes.NONE);
    var tasks = new TaskService(containers, new NoHooks());
    try (var server = new Server(listener, TaskHandlers.services(tasks), new ErrorCodes())) {
      server.start();
      try (var client = Client.connect(socket, LIMIT)) {
        var methods = version3("method").stream().map(line -> line.split(" ")[1]).collect(Collectors.toList());
        assertEquals(17, methods.size());
        for (String method : methods) {
          Code code = answer(client, "containerd.task.v2.Task", method);
          assertEquals(switch (method) {
            case "Connect", "Shutdown" -> Code.OK;
            case "Create" -> Code.INVALID_ARGUMENT;
            default -> Code.NOT_FOUND;
          }, code, method);
          assertEquals(code, answer(client, "containerd.task.v3.Task", method), method);
          assertEquals(Code.UNIMPLEMENTED, answer(client, "containerd.task.v4.Task", method));
        }
        for (String version : List.of("v2", "v3")) {
          assertEquals(Code.UNIMPLEMENTED, answer(client, "containerd.task." + version + ".Task", "Explode"));
        }
        assertEquals(Code.UNIMPLEMENTED, answer(client, "containerd.runtime.sandbox.v1.Sandbox", "StartSandbox"));
      }
    }
  }

  /** An empty message is a request of every method: all fields of it are absent. */
  private static Code answer(Client client, String service, String method) throws Exception {
    try {
      client.call(service, method, Empty.getDefaultInstance(), Empty.parser(), LIMIT, Map.of());
      return Code.OK;
    } catch (StatusException e) {
      return e.code();
    }
  }

  @Test
  void aServiceOfNeitherVersionNamesWhatIsMissing() throws Exception {
    var socket = directory.resolve("s");
    var listener = SocketDoor.listen(socket);
    try (var server = new Server(listener, List.of())) {
      server.start();
      try (var client = Client.connect(socket, LIMIT)) {
        var e = assertThrows(StatusException.class, () -> client.call("containerd.task.v3.Task", "State",
            Empty.getDefaultInstance(), Empty.parser(), LIMIT, Map.of()));
        assertEquals(Code.UNIMPLEMENTED, e.code()); // what makes containerd 2 fall back to version 2
      }
    }
  }
}
