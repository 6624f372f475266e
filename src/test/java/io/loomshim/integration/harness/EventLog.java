package io.loomshim.integration.harness;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** The events that {@code ctr events} prints while this is open. Used from one thread. */
public final class EventLog implements AutoCloseable {
  private static final Pattern LINE = Pattern.compile("^\\S+ \\S+ \\S+ \\S+ (\\S+) (/\\S+) (\\{.*})$");

  /** One event; {@code json} as containerd's own encoder writes it. */
  public record Event(String namespace, String topic, String json) {
    public String text(String field) {
      return find(field, "\"([^\"]*)\"");
    }

    public long number(String field) {
      String digits = find(field, "(\\d+)");
      return digits.isEmpty() ? 0 : Long.parseLong(digits);
    }

    private String find(String field, String value) {
      var matcher = Pattern.compile("\"" + field + "\":" + value).matcher(json);
      return matcher.find() ? matcher.group(1) : "";
    }
  }

  private final Exec process;

  private EventLog(Exec process) {
    this.process = process;
  }

  /** Subscribes and returns when events are known to arrive. */
  public static EventLog open(Ctr ctr) {
    var log = new EventLog(ctr.start(Exec.Setting.NO_STDIN, "events"));
    Await.until("events arrive", () -> {
      String marker = Names.id("marker");
      ctr.call("namespaces", "create", marker).ok();
      ctr.call("namespaces", "rm", marker).ok();
      return log.events().stream().anyMatch(event -> event.topic().startsWith("/namespaces/"));
    });
    return log;
  }

  private List<Event> events() {
    var found = new ArrayList<Event>();
    for (String line : process.output().lines().toList()) {
      var matcher = LINE.matcher(line);
      if (matcher.matches()) {
        found.add(new Event(matcher.group(1), matcher.group(2), matcher.group(3)));
      }
    }
    return found;
  }

  /** The task events of a container so far, in the order in which containerd sent them. */
  public List<Event> of(String namespace, String id) {
    return events().stream().filter(event -> event.topic().startsWith("/tasks/")
        && event.namespace().equals(namespace) && event.text("container_id").equals(id)).toList();
  }

  /** The same, once an event of {@code topic} is among them. */
  public List<Event> until(String namespace, String id, String topic) {
    Await.until(topic + " of " + id, () -> of(namespace, id).stream().anyMatch(e -> e.topic().equals(topic)));
    return of(namespace, id);
  }

  @Override
  public void close() {
    process.kill();
  }
}
