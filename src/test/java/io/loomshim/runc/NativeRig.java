package io.loomshim.runc;

import io.loomshim.process.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A container {@code a} as runc leaves it, its init played by a shell; the runtime is the installed runc. */
final class NativeRig implements AutoCloseable {
  static final String ID = "a";

  final KnownRuntimes known = KnownRuntimes.empty();
  final Path directory;
  final Path fifo;
  final Path cgroups;
  final RuncCalls calls = new RuncCalls();
  final CommandRunner runner;
  private final List<Process> processes = new ArrayList<>();

  NativeRig(Path dir, Duration limit, boolean systemd) throws IOException, InterruptedException {
    directory = Files.createDirectories(dir.resolve("root").resolve(ID));
    fifo = directory.resolve("exec.fifo");
    cgroups = Files.createDirectories(dir.resolve("cgroups"));
    var settings = new RuncSettings("", dir.resolve("root"), dir.resolve("log.json"), Optional.empty(), systemd);
    runner = new CommandRunner(settings, dir, RuncLimits.of(limit), System.getenv(), calls);
    known.learn(runner, ID, false);
    if (!known.knows(runner, ID)) {
      throw new AssertionError("the installed runc is not known");
    }
  }

  NativeRunc natives() {
    return natives(known);
  }

  NativeRunc natives(KnownRuntimes known) {
    return new NativeRunc(ID, runner, calls, known);
  }

  /** The container's state, not read yet. */
  StateAhead ahead() {
    return new StateAhead(ID, directory);
  }

  /** How often {@code command} has been done. */
  long used(String command) {
    return calls.usage().stream().filter(u -> u.command().equals(command)).mapToLong(u -> u.latency().count()).sum();
  }

  /** Whether {@code command} is being done. */
  boolean runs(String command) {
    return calls.running().stream().anyMatch(c -> c.command().equals(command));
  }

  /** Starts a shell that runs {@code script}, in which {@code $fifo} is the fifo. */
  Process process(String script) throws IOException {
    var builder = new ProcessBuilder("/bin/sh", "-c", script).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().put("fifo", fifo.toString());
    processes.add(builder.start());
    return processes.getLast();
  }

  void makeFifo() throws IOException, InterruptedException {
    if (process("mkfifo \"$fifo\"").waitFor() != 0) {
      throw new AssertionError("no fifo");
    }
  }

  /** A cgroup of {@code controller}: here a directory, which can be removed while it is empty. */
  Path cgroup(String controller) throws IOException {
    return Files.createDirectories(cgroups.resolve(controller).resolve(ID));
  }

  /** Writes down a container with {@code init} and the cgroups of these controllers. */
  void state(Process init, String... controllers) throws IOException {
    write(text(init.pid(), Processes.startTime(Long.toString(init.pid())), controllers));
  }

  String text(long pid, String started, String... controllers) throws IOException {
    Map<String, Path> paths = new LinkedHashMap<>();
    for (String controller : controllers) {
      paths.put(controller, cgroup(controller));
    }
    return StateFile.text(ID, pid, started, paths);
  }

  void write(String text) throws IOException {
    Files.writeString(directory.resolve(RuncState.FILE), text);
  }

  @Override
  public void close() throws InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
  }
}
