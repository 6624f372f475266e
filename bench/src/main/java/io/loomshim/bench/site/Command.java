package io.loomshim.bench.site;

import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.process.Child;
import io.loomshim.process.Programs;
import io.loomshim.process.Spawn;
import io.loomshim.process.Spawner;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs programs and takes their time, from before the fork to the end of the program and of its output. */
public final class Command {
  private final Path directory;
  private final Map<String, String> environment;

  /** Programs that will run in {@code directory}, with {@code environment} added to our own. */
  Command(Path directory, Map<String, String> environment) {
    this.directory = directory;
    this.environment = environment;
  }

  /** How a program ended. */
  record Result(int status, String output, double millis) {}

  /** The milliseconds that the program took; anything but status 0 is an error. */
  public double millis(List<String> command) throws IOException, InterruptedException {
    return checked(command, run(command)).millis();
  }

  /** The output of the program; anything but status 0 is an error. */
  public String output(List<String> command) throws IOException, InterruptedException {
    return checked(command, run(command)).output();
  }

  /** The milliseconds of a program that leaves something behind which keeps its output open, or that writes much. */
  public double millisUnread(List<String> command) throws IOException, InterruptedException {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      Spawn spawn = spawn(command, List.of(nothing, nothing, nothing));
      long begin = System.nanoTime();
      int status = Spawner.spawn(spawn).await();
      double millis = (System.nanoTime() - begin) / 1e6;
      return checked(command, new Result(status, "(not read)", millis)).millis();
    }
  }

  /** By posix_spawn: the JDK starts a helper program first, which takes as long as the fastest of what is measured. */
  Result run(List<String> command) throws IOException, InterruptedException {
    try (Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0);
        Pipe pipe = Pipe.open()) {
      pipe.reader().nonBlocking(true);
      Spawn spawn = spawn(command, List.of(nothing, pipe.writer(), pipe.writer()));
      long begin = System.nanoTime();
      Child child = Spawner.spawn(spawn);
      pipe.writer().close();
      var output = new ByteArrayOutputStream();
      byte[] buffer = new byte[4096];
      for (int count = pipe.reader().read(buffer); count > 0; count = pipe.reader().read(buffer)) {
        output.write(buffer, 0, count);
      }
      int status = child.await();
      double millis = (System.nanoTime() - begin) / 1e6;
      return new Result(status, output.toString(StandardCharsets.UTF_8), millis);
    }
  }

  private Spawn spawn(List<String> command, List<Fd> fds) throws IOException {
    var variables = new HashMap<>(System.getenv());
    variables.putAll(environment);
    var list = new ArrayList<String>(variables.size());
    variables.forEach((name, value) -> list.add(name + "=" + value));
    var argv = new ArrayList<>(command);
    if (!argv.getFirst().contains("/")) {
      Path program = Programs.find(argv.getFirst(), variables.get("PATH"))
          .orElseThrow(() -> new IOException("no " + argv.getFirst() + " in PATH"));
      argv.set(0, program.toString());
    }
    return new Spawn(argv, list, directory, fds);
  }

  /** A program that goes on beside us; its errors are dropped. */
  public Process start(List<String> command) throws IOException {
    return builder(command).redirectError(Redirect.DISCARD).start();
  }

  private ProcessBuilder builder(List<String> command) {
    var builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.redirectInput(Path.of("/dev/null").toFile());
    builder.environment().putAll(environment);
    return builder;
  }

  private static Result checked(List<String> command, Result result) throws IOException {
    if (result.status() != 0) {
      throw new IOException(String.join(" ", command) + ": status " + result.status() + ": " + result.output());
    }
    return result;
  }
}
