package io.loomshim.integration.harness;

import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.inspect.Inspection;
import io.loomshim.json.Json;
import io.loomshim.json.JsonException;
import io.loomshim.ttrpc.Client;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The command {@code inspect} as an operator runs it, and the service that answers it. */
public final class Inspect {
  private static final Duration LIMIT = Await.seconds(30);

  private Inspect() {}

  public static Exec.Result run(String... arguments) {
    var command = new ArrayList<>(List.of(Shim.tested().program().toString(), "inspect"));
    command.addAll(List.of(arguments));
    return Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), command).await(LIMIT);
  }

  /** What the daemon {@code pid} tells for machines. */
  public static Map<String, Object> report(long pid) {
    var daemons = list(object(run("--json", Long.toString(pid)).ok().text()), "daemons");
    if (daemons.size() != 1) {
      throw new AssertionError(daemons);
    }
    return daemons.getFirst();
  }

  /** The same, asked by this JVM: the command is one that a busy machine starts in seconds, too long for a look. */
  public static Map<String, Object> look(long pid) {
    String address = Install.get().daemons().stream().filter(daemon -> daemon.pid() == pid).findFirst()
        .orElseThrow(() -> new AssertionError("no daemon is " + pid)).address();
    try (Client client = Client.connect(Path.of(address.replace("unix://", "")), LIMIT)) {
      return object(client.call(Inspection.SERVICE, Inspection.METHOD, Empty.getDefaultInstance(),
          StringValue.parser(), LIMIT, Map.of()).getValue());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  public static Map<String, Object> object(String json) {
    try {
      return Json.object(Json.read(json)).orElseThrow();
    } catch (JsonException e) {
      throw new AssertionError(json, e);
    }
  }

  /** The objects in an array. */
  public static List<Map<String, Object>> list(Map<String, Object> object, String name) {
    return Json.array(object.get(name)).orElseThrow(() -> new AssertionError(name + " is no array in " + object))
        .stream().map(element -> Json.object(element).orElseThrow()).toList();
  }

  /** The object of a list in which {@code name} is {@code value}. */
  public static Map<String, Object> the(List<Map<String, Object>> list, String name, Object value) {
    return list.stream().filter(o -> value.toString().equals(String.valueOf(o.get(name)))).findFirst()
        .orElseThrow(() -> new AssertionError("no " + name + " " + value + " in " + list));
  }

  public static long number(Map<String, Object> object, String name) {
    return Long.parseLong(object.get(name).toString());
  }
}
