package io.loomshim.inspect;

import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.json.Json;
import io.loomshim.ttrpc.Client;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The command {@code inspect}: asks the daemons that run and prints what they tell. Ends with 0; with 1 when none runs,
 * or one did not answer; with 2 for a wrong command line.
 */
public final class Main {
  /** For the answer of one daemon: it needs milliseconds unless the machine is at its end. */
  private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
  private static final int NONE = 1;
  private static final int MISUSED = 2;
  /** Of the JSON document as a whole; raised when the meaning of a name changes. */
  private static final int FORMAT = 1;

  private final Question question;
  private final PrintStream out;
  private final List<Object> documents = new ArrayList<>();
  private boolean failed;

  private Main(Question question, PrintStream out) {
    this.question = question;
    this.out = out;
  }

  public static void main(String[] args) throws InterruptedException {
    var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    int status;
    try {
      status = new Main(Question.parse(args), out).run();
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + Question.USAGE);
      status = MISUSED;
    } catch (AccessDeniedException e) {
      System.err.println("cannot read " + e.getMessage() + ": only root may ask the daemons");
      status = NONE;
    } catch (IOException e) {
      System.err.println("cannot ask the daemons: " + e);
      status = NONE;
    }
    out.flush();
    Runtime.getRuntime().halt(status); // as the daemon: an orderly end takes longer than the answer
  }

  private int run() throws IOException, InterruptedException {
    for (Found daemon : candidates()) {
      if (question.pid().isEmpty() || question.pid().getAsLong() == daemon.pid()) {
        ask(daemon);
      }
    }
    if (question.json()) {
      out.println(Json.write(Report.row("format", FORMAT, "daemons", documents)));
    }
    if (documents.isEmpty()) {
      System.err.println("no daemon runs" + (question.run().isPresent() || question.pid().isPresent()
          || question.namespace().isPresent() ? " that is meant" : " in " + question.directory()));
      return NONE;
    }
    return failed ? NONE : 0;
  }

  private List<Found> candidates() throws IOException {
    if (question.run().isPresent()) {
      Optional<Found> one = Found.in(question.run().get());
      return one.isPresent() ? List.of(one.get()) : List.of();
    }
    return Found.all(question.directory());
  }

  private void ask(Found daemon) throws InterruptedException {
    Map<String, Object> report;
    try (Client client = Client.connect(daemon.socket(), ANSWER_MAX)) {
      String json = client.call(Inspection.SERVICE, Inspection.METHOD, Empty.getDefaultInstance(),
          StringValue.parser(), ANSWER_MAX, Map.of()).getValue();
      report = Json.object(Json.read(json)).orElseThrow();
    } catch (IOException | RuntimeException e) {
      failed = true;
      report = Report.row("pid", daemon.pid(), "run", daemon.run().toString(), "error", e.toString());
    }
    boolean wanted = question.namespace().isEmpty() || question.namespace().get().equals(report.get("namespace"))
        || report.containsKey("error");
    if (wanted) {
      print(report);
    }
  }

  private static String silence(Map<String, Object> report) {
    String error = Table.plain(String.valueOf(report.get("error")));
    return "daemon " + report.get("pid") + " did not answer: " + error + "\n";
  }

  private void print(Map<String, Object> report) {
    if (!question.json()) {
      out.print(documents.isEmpty() ? "" : "\n");
      out.print(report.containsKey("error") ? silence(report) : new Page(report).text());
    }
    documents.add(report);
  }
}
