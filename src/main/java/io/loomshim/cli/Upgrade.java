package io.loomshim.cli;

import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.loomshim.errors.Code;
import io.loomshim.errors.StatusException;
import io.loomshim.inspect.Inspection;
import io.loomshim.json.Json;
import io.loomshim.proto.handover.HandOverRequest;
import io.loomshim.proto.handover.HandOverResponse;
import io.loomshim.rundir.LivingDaemon;
import io.loomshim.takeover.HandOver;
import io.loomshim.ttrpc.Client;
import io.loomshim.ttrpc.ClosedException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The command {@code upgrade}: asks the running daemons to hand over to the installed build with the present settings,
 * one after the other, and prints what came of it, a line for each. Arguments, which the launcher makes: the parent of
 * the run directories, the namespace or nothing for all, the build, and the command line of a daemon as {@link
 * CommandLine#next} takes it.
 *
 * <p>Its exit status is 0 when all that were meant are as a new one would be; 1 when one is not.
 */
public final class Upgrade {
  /** How long a connection may take. */
  private static final Duration CONNECT_MAX = Duration.ofSeconds(10);

  /** How long the next daemon may take to serve, once it is ready. */
  private static final Duration SERVES_MAX = Duration.ofSeconds(30);

  private static final Duration PAUSE = Duration.ofMillis(10);
  private static final int NOT_ALL = 1;

  /** A daemon that was asked and did not hand over; the message says why, and goes on with what that means. */
  private static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    RefusedException(String message) {
      super(message);
    }
  }

  private final String build;
  private final List<String> template;

  private Upgrade(String build, List<String> template) {
    this.build = build;
    this.template = template;
  }

  /** Asks the daemons and ends the JVM with the status. */
  public static void main(String[] args) throws InterruptedException {
    System.setProperty("slf4j.provider", "org.slf4j.simple.SimpleServiceProvider");
    List<String> words = List.of(args);
    int status = NOT_ALL;
    try {
      status = new Upgrade(words.get(2), words.subList(3, words.size())).run(Path.of(words.get(0)), words.get(1));
    } catch (AccessDeniedException e) {
      System.err.println("cannot read " + e.getMessage() + ": only root may ask the daemons");
    } catch (IOException e) {
      System.err.println("cannot ask the daemons: " + e);
    }
    System.out.flush();
    Runtime.getRuntime().halt(status);
  }

  private int run(Path directory, String namespace) throws IOException, InterruptedException {
    int meant = 0;
    int failed = 0;
    for (LivingDaemon daemon : LivingDaemon.all(directory)) {
      Optional<CommandLine> present = commandLine(daemon.pid());
      if (present.isEmpty() || !namespace.isEmpty() && !present.get().value("namespace").equals(namespace)) {
        continue;
      }
      meant++;
      try {
        say(daemon, present.get(), handOver(daemon, present.get()));
      } catch (RefusedException e) {
        failed++;
        say(daemon, present.get(), e.getMessage());
      }
    }
    if (meant == 0) {
      System.out.println("no daemon runs" + (namespace.isEmpty() ? "" : " for the namespace " + namespace) + " below "
          + directory);
    }
    return failed == 0 ? 0 : NOT_ALL;
  }

  private static void say(LivingDaemon daemon, CommandLine line, String what) {
    System.out.println("daemon " + daemon.pid() + " (namespace " + Table.plain(line.value("namespace")) + "): " + what);
  }

  /** Empty when the process has ended, or is none that the launcher has started. */
  private static Optional<CommandLine> commandLine(long pid) {
    try {
      var line = CommandLine.of(Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline")));
      return line.ofDaemon() ? Optional.of(line) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** What came of it. */
  private String handOver(LivingDaemon daemon, CommandLine present) throws InterruptedException, RefusedException {
    CommandLine next = present.next(template);
    if (present.sameAs(next)) {
      return "is of the installed build and has these settings already";
    }
    if (!present.has(CommandLine.TAKE_OVER)) {
      throw new RefusedException("not handed over: it was started without take_over. " + goesOn(present));
    }
    long expected;
    try (Client client = Client.connect(daemon.socket(), CONNECT_MAX)) {
      expected = client.call(HandOver.SERVICE, HandOver.METHOD,
          HandOverRequest.newBuilder().addAllCommand(next.words()).build(), HandOverResponse.parser(),
          HandOver.ANSWER_MAX, Map.of()).getPid();
    } catch (StatusException e) {
      if (e.code() == Code.UNAVAILABLE) {
        return killed(daemon, next, e);
      }
      String why = e.code() == Code.UNIMPLEMENTED ? "its build knows no hand-over" : e.getMessage();
      throw new RefusedException("not handed over: " + why + ". " + goesOn(present));
    } catch (ClosedException e) {
      return killed(daemon, next, e);
    } catch (IOException e) {
      throw new RefusedException("not handed over: it cannot be asked: " + e.getMessage());
    }
    return served(daemon, expected);
  }

  /** It was killed while it handled the call: the next daemon or the holder has gone on, or nothing has. */
  private static String killed(LivingDaemon before, CommandLine next, Exception why) throws RefusedException {
    try {
      Optional<LivingDaemon> after = LivingDaemon.in(before.run());
      Optional<CommandLine> line = after.isPresent() ? commandLine(after.get().pid()) : Optional.empty();
      if (line.isPresent() && line.get().sameAs(next)) {
        return "has ended meanwhile, and process " + after.get().pid() + " with the installed build goes on";
      }
    } catch (IOException e) {
      // the reason is known
    }
    throw new RefusedException("not handed over: it has ended meanwhile: " + why.getMessage());
  }

  /** What it means that it was not handed over. */
  private String goesOn(CommandLine present) {
    String own = present.value("build");
    return own.equals(build) ? "It goes on with the settings that it was started with"
        : "It goes on as it is until the last of its containers has gone; new ones go to a daemon of the installed"
            + " build";
  }

  /** Waits until the next daemon answers at the socket of the one before. */
  private String served(LivingDaemon before, long expected) throws InterruptedException, RefusedException {
    long end = System.nanoTime() + SERVES_MAX.toNanos();
    while (System.nanoTime() - end < 0) {
      Map<String, Object> report = report(before.socket());
      String pid = String.valueOf(report.getOrDefault("pid", before.pid()));
      String who = "process " + pid + ", build " + report.get("build");
      if (pid.equals(Long.toString(expected))) {
        return "has handed over to " + who;
      }
      if (!pid.equals(Long.toString(before.pid()))) {
        throw new RefusedException("not handed over: the next daemon, " + expected + ", has failed, and " + who
            + ", has taken over; see " + before.run() + "/daemon.log");
      }
      Thread.sleep(PAUSE);
    }
    throw new RefusedException("not handed over: process " + expected + " does not answer at " + before.socket()
        + " within " + SERVES_MAX.toSeconds() + " s; see " + before.run() + "/daemon.log");
  }

  /** What the daemon says of itself that answers there; nothing when none does at this moment. */
  private static Map<String, Object> report(Path socket) throws InterruptedException {
    try (Client client = Client.connect(socket, CONNECT_MAX)) {
      String json = client.call(Inspection.SERVICE, Inspection.METHOD, Empty.getDefaultInstance(),
          StringValue.parser(), CONNECT_MAX, Map.of()).getValue();
      return Json.object(Json.read(json)).orElse(Map.of());
    } catch (IOException | StatusException e) {
      return Map.of(); // it is about to end, or to begin
    }
  }
}
