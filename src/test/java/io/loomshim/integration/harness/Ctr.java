package io.loomshim.integration.harness;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Drives the real {@code ctr} in one namespace of one containerd. Stateless; may be used by several
 * threads at once.
 */
public final class Ctr {
  /** No command of ctr may take longer on a busy machine. */
  public static final Duration LIMIT = Await.seconds(60);

  /** From 1.7 on it reminds of the end of runc.v1 at every command, once that has been used. */
  private static final Map<String, String> QUIET = Map.of("CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS", "1");

  private static final Map<String, String> ON_TERMINAL =
      Map.of("SHELL", "/bin/sh", "CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS", "1");

  private static final Pattern EXIT_STATUS = Pattern.compile("non-zero exit code (\\d+)");

  private final Path program;
  private final Path scratch;
  private final Path rootfs;
  private final String address;
  private final String namespace;

  public Ctr(Path scratch, Path rootfs, Path address, String namespace) {
    Path beside = Containerd.PROGRAM.resolveSibling("ctr");
    this.program = Files.exists(beside) ? beside : Path.of("/usr/bin/ctr");
    this.scratch = scratch;
    this.rootfs = rootfs;
    this.address = address.toString();
    this.namespace = namespace;
  }

  public String namespace() {
    return namespace;
  }

  /** The same containerd seen through another namespace. */
  public Ctr in(String other) {
    return new Ctr(scratch, rootfs, Path.of(address), other);
  }

  public Exec.Result call(String... arguments) {
    return start(Exec.Setting.NO_STDIN, arguments).await(LIMIT);
  }

  public Exec start(Path stdin, String... arguments) {
    var command = new ArrayList<>(List.of(program.toString(), "--address", address, "--namespace", namespace));
    command.addAll(List.of(arguments));
    int signal = command.indexOf("--signal") + 1;
    if (signal > 0) {
      command.set(signal, "SIG" + command.get(signal)); // 1.4 knows them by their full names only
    }
    return Exec.start(scratch, new Exec.Setting(scratch, QUIET, stdin), command);
  }

  /** Starts ctr on a terminal of its own, which script(1) copies to the program's output; its stdin can be fed. */
  public Exec startOnTerminal(String... arguments) {
    var line = new StringBuilder("exec " + program + " --address " + address + " --namespace " + namespace);
    for (String argument : arguments) {
      line.append(" '").append(argument.replace("'", "'\\''")).append('\'');
    }
    return Exec.start(scratch, new Exec.Setting(scratch, ON_TERMINAL, Exec.Setting.PIPE),
        List.of("script", "-qec", line.toString(), "/dev/null"));
  }

  /** Starts {@code ctr run} with a terminal and does not wait. */
  public Exec startOnTerminal(Shim shim, List<String> flags, String id, String... command) {
    var arguments = new ArrayList<>(List.of("run", "--tty", "--runtime", shim.runtime(), "--fifo-dir",
        scratch.resolve("fifo").toString(), "--read-only", "--env", "PATH=/bin", "--rootfs"));
    arguments.addAll(OciRuntime.flags(shim, scratch));
    arguments.addAll(flags);
    arguments.addAll(List.of(rootfs.toString(), id));
    arguments.addAll(List.of(command));
    return startOnTerminal(arguments.toArray(String[]::new));
  }

  /** {@code ctr run --rm} of {@code command} with empty stdin, until it has ended. */
  public Exec.Result run(Shim shim, String id, String... command) {
    return run(shim, List.of("--rm"), id, command);
  }

  public Exec.Result run(Shim shim, List<String> flags, String id, String... command) {
    return start(shim, flags, Exec.Setting.NO_STDIN, id, command).await(LIMIT);
  }

  /** Starts {@code ctr run} and does not wait. */
  public Exec start(Shim shim, List<String> flags, Path stdin, String id, String... command) {
    var arguments = new ArrayList<>(List.of("run", "--runtime", shim.runtime(), "--fifo-dir",
        scratch.resolve("fifo").toString(), "--read-only", "--env", "PATH=/bin"));
    arguments.addAll(OciRuntime.flags(shim, scratch));
    arguments.addAll(flags);
    if (!flags.contains("--config")) {
      arguments.addAll(List.of("--rootfs", rootfs.toString()));
    }
    arguments.add(id);
    arguments.addAll(List.of(command));
    return start(stdin, arguments.toArray(String[]::new));
  }

  /** Starts a container that goes on when ctr has ended. */
  public void detached(Shim shim, String id, String... command) {
    run(shim, List.of("--detach"), id, command).ok();
  }

  public Exec.Result kill(String id, String signal) {
    return call("tasks", "kill", "--signal", signal, id);
  }

  /** The status of every task as {@code ctr task ls} prints it, by container. */
  public Map<String, String> tasks() {
    var found = new TreeMap<String, String>();
    for (String line : call("tasks", "ls").ok().text().lines().skip(1).toList()) {
      String[] words = line.trim().split("\\s+");
      found.put(words[0], words[2]);
    }
    return found;
  }

  /** The pid on the host of every task's first process, by container. */
  public Map<String, Long> pids() {
    var found = new TreeMap<String, Long>();
    for (String line : call("tasks", "ls").ok().text().lines().skip(1).toList()) {
      String[] words = line.trim().split("\\s+");
      found.put(words[0], Long.parseLong(words[1]));
    }
    return found;
  }

  /** The pid on the host of one task's first process. */
  public long pid(String id) {
    return pids().get(id);
  }

  public String status(String id) {
    return tasks().getOrDefault(id, "none");
  }

  /** Deletes a stopped task and returns its exit status. */
  public int deleteTask(String id) {
    return exitStatus(call("tasks", "rm", id).ok());
  }

  /** The exit status that {@code ctr task rm} mentions when it is not 0. */
  public static int exitStatus(Exec.Result deletion) {
    var matcher = EXIT_STATUS.matcher(deletion.errors());
    return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
  }

  /** Kills a container that runs detached and removes it; returns the exit status of its task. */
  public int end(String id) {
    kill(id, "KILL").ok();
    Await.status(this, id, "STOPPED");
    int status = deleteTask(id);
    deleteContainer(id).ok();
    return status;
  }

  public Exec.Result deleteContainer(String id) {
    return call("containers", "rm", id);
  }

  /** Ends and removes every container of the namespace, whatever state it is in. */
  public void clear() {
    for (String id : tasks().keySet()) {
      call("tasks", "rm", "--force", id);
    }
    for (String id : call("containers", "ls", "--quiet").text().lines().toList()) {
      deleteContainer(id);
    }
  }
}
