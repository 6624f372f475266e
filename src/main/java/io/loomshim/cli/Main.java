package io.loomshim.cli;

import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.cli.InspectArguments.Form;
import io.loomshim.inspect.Inspection;
import io.loomshim.inspect.Report;
import io.loomshim.json.Json;
import io.loomshim.rundir.LivingDaemon;
import io.loomshim.ttrpc.Client;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The command {@code inspect}: asks the running daemons and prints their answers, or reads what others have left. Its
 * exit status is 0; 1 when no daemon runs or one did not answer; 2 for a wrong command line.
 */
public final class Main {
  /** How long one daemon may take to answer; it needs milliseconds unless the machine is overloaded. */
  private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
  private static final int NONE = 1;
  private static final int MISUSED = 2;
  /** The version of the JSON document; raised when the meaning of a name changes. */
  static final int FORMAT = 1;

  private final InspectArguments arguments;
  private final PrintStream out;
  private final List<Map<String, Object>> documents = new ArrayList<>();
  private final Set<String> others = new TreeSet<>();
  private boolean failed;

  private Main(InspectArguments arguments, PrintStream out) {
    this.arguments = arguments;
    this.out = out;
  }

  /** Prints the answers and ends the JVM with the status. */
  public static void main(String[] args) throws InterruptedException {
    // what is logged here is for the reader of standard error, not for containerd
    System.setProperty("slf4j.provider", "org.slf4j.simple.SimpleServiceProvider");
    var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    int status;
    try {
      status = traces(args) ? Traces.print(Path.of(args[2]), out) : ended(args)
          ? Ended.print(Path.of(args[0]), args.length > 2, out)
          : Ended.withHint(new Main(InspectArguments.parse(args), out).run(), Path.of(args[0]));
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage() + "\n" + InspectArguments.USAGE);
      status = MISUSED;
    } catch (AccessDeniedException e) {
      System.err.println("cannot read " + e.getMessage() + ": only root may ask the daemons");
      status = NONE;
    } catch (IOException e) {
      System.err.println("cannot ask the daemons: " + e);
      status = NONE;
    }
    out.flush();
    Runtime.getRuntime().halt(status); // an orderly exit takes longer than the answer
  }

  /** Whether the arguments after the first are {@code --ended}, and {@code --json} before or after it, or nothing. */
  private static boolean ended(String[] args) {
    List<String> words = List.of(args).subList(1, args.length);
    return words.equals(List.of(Ended.OPTION)) || words.size() == 2 && words.contains(Ended.OPTION)
        && words.contains("--json");
  }

  /** Whether the arguments after the first are {@code --traces} and a file. */
  private static boolean traces(String[] args) {
    return args.length == 3 && args[1].equals(Traces.OPTION);
  }

  private int run() throws IOException, InterruptedException {
    for (LivingDaemon daemon : candidates()) {
      if (arguments.pid().isEmpty() || arguments.pid().getAsLong() == daemon.pid()) {
        ask(daemon);
      } else {
        others.add(String.valueOf(daemon.pid()));
      }
    }
    if (arguments.form() == Form.JSON) {
      out.println(Json.write(Report.row("format", FORMAT, "daemons", documents)));
    }
    if (arguments.form() == Form.PROMETHEUS) {
      out.print(Prometheus.text(documents));
      return 0; // an idle node is no failure, and a daemon that did not answer is told as such
    }
    if (documents.isEmpty()) {
      System.err.println(arguments.none(others));
      return NONE;
    }
    return failed ? NONE : 0;
  }

  private List<LivingDaemon> candidates() throws IOException {
    if (arguments.run().isPresent()) {
      Optional<LivingDaemon> one = LivingDaemon.in(arguments.run().get());
      return one.isPresent() ? List.of(one.get()) : List.of();
    }
    return LivingDaemon.all(arguments.directory());
  }

  private void ask(LivingDaemon daemon) throws InterruptedException {
    Map<String, Object> report;
    // a channel of the JDK: this command makes no native call
    try (Client client = Client.over(SocketChannel.open(UnixDomainSocketAddress.of(daemon.socket())), "inspect")) {
      String json = client.call(Inspection.SERVICE, Inspection.METHOD, Empty.getDefaultInstance(),
          StringValue.parser(), ANSWER_MAX, Map.of()).getValue();
      report = Json.object(Json.read(json)).orElseThrow();
    } catch (IOException | RuntimeException e) {
      failed = true;
      report = Report.row("pid", daemon.pid(), "run", daemon.run().toString(), "error", e.toString());
    }
    boolean wanted = arguments.namespace().isEmpty() || arguments.namespace().get().equals(report.get("namespace"))
        || report.containsKey("error");
    if (wanted) {
      print(report);
    } else {
      others.add(String.valueOf(report.get("namespace")));
    }
  }

  private static String silence(Map<String, Object> report) {
    String error = Table.plain(String.valueOf(report.get("error")));
    return "daemon " + report.get("pid") + " did not answer: " + error + "\n";
  }

  private void print(Map<String, Object> report) {
    if (arguments.form() == Form.PAGE) {
      out.print(documents.isEmpty() ? "" : "\n");
      out.print(report.containsKey("error") ? silence(report) : new Page(report).text());
    }
    documents.add(report);
  }
}
