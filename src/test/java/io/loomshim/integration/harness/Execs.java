package io.loomshim.integration.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.proto.task.WaitRequest;
import io.loomshim.proto.task.WaitResponse;
import io.loomshim.ttrpc.ManyCallsClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/** Many execs of one task, {@code e0}, {@code e1} and so on. Used from one thread; works on several. */
public record Execs(ShimClient task, int count) {
  /** Calls in flight where the shim has to run runc for each. */
  private static final int AT_ONCE = 8;
  /** Fewer calls than a shim takes on one connection. */
  private static final int WAITS_PER_CONNECTION = 1000;
  private static final Duration LIMIT = Duration.ofMinutes(30);

  public static String name(int i) {
    return "e" + i;
  }

  /** Starts all, the i-th with {@code command.apply(i)} for a shell; their pids. */
  public int[] start(IntFunction<String> command) {
    int[] pids = new int[count];
    each(i -> {
      task.exec(name(i), "sh", "-c", command.apply(i));
      pids[i] = task.start(name(i));
    });
    return pids;
  }

  public void delete() {
    each(i -> task.delete(name(i)));
  }

  private void each(IntConsumer work) {
    try (var pool = Executors.newFixedThreadPool(AT_ONCE)) {
      var futures = new ArrayList<Future<?>>();
      for (int i = 0; i < count; i++) {
        int number = i;
        futures.add(pool.submit(() -> work.accept(number)));
      }
      for (var future : futures) {
        future.get();
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  /** A Wait for each, all in flight at the same time. */
  public final class Waits implements AutoCloseable {
    private final List<ManyCallsClient> clients = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Integer, Integer> statuses = new ConcurrentHashMap<>();
    private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();

    private Waits() throws IOException {
      for (int i = 0; i < count; i++) {
        if (i % WAITS_PER_CONNECTION == 0) {
          clients.add(ManyCallsClient.connect(task.socket(), Await.LIMIT));
        }
        int number = i;
        ManyCallsClient client = clients.getLast();
        threads.add(Thread.ofVirtual().name("wait/" + name(i)).start(() -> await(client, number)));
      }
    }

    private void await(ManyCallsClient client, int number) {
      var request = WaitRequest.newBuilder().setId(task.id()).setExecId(name(number)).build();
      try {
        var reply = client.call(task.service(), "Wait", request, WaitResponse.parser(), LIMIT, Map.of());
        statuses.put(number, reply.getExitStatus());
      } catch (IOException | InterruptedException e) {
        failures.add(e);
      }
    }

    /** The statuses by number, once all have been answered; an AssertionError when one was not told. */
    public Map<Integer, Integer> statuses() throws InterruptedException {
      for (Thread thread : threads) {
        thread.join();
      }
      if (!failures.isEmpty()) {
        throw new AssertionError(failures.size() + " of " + count + " Waits failed", failures.peek());
      }
      return new TreeMap<>(statuses);
    }

    @Override
    public void close() {
      clients.forEach(ManyCallsClient::close);
    }
  }

  public Waits waits() throws IOException {
    return new Waits();
  }

  /**
   * Waits for the event of the container's deletion and checks that each exec was added, started and ended in this
   * order and once, and that nothing else was told but the container's own life around it.
   */
  public void assertStory(EventSink sink, String namespace, IntFunction<Integer> status) {
    var events = sink.until(namespace, task.id(), "/tasks/delete");
    var stories = new TreeMap<String, List<String>>();
    for (var event : events) {
      String process = event.topic().equals("/tasks/exit") || event.topic().startsWith("/tasks/exec")
          ? event.process() : task.id();
      stories.computeIfAbsent(process, p -> new ArrayList<>())
          .add(event.topic() + (event.topic().equals("/tasks/exit") ? " " + event.status() : ""));
    }
    var expected = new TreeMap<String, List<String>>();
    for (int i = 0; i < count; i++) {
      expected.put(name(i), List.of("/tasks/exec-added", "/tasks/exec-started", "/tasks/exit " + status.apply(i)));
    }
    expected.put(task.id(), List.of("/tasks/create", "/tasks/start", "/tasks/exit 137", "/tasks/delete"));
    assertEquals(expected, stories);
    assertEquals("/tasks/create", events.getFirst().topic());
    assertEquals(List.of("/tasks/exit", "/tasks/delete"),
        events.subList(events.size() - 2, events.size()).stream().map(EventSink.Seen::topic).toList());
  }
}
