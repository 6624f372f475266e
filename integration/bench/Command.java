import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Runs programs and takes their time, from before the fork to the end of the program and of its output. */
final class Command {
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
  double millis(List<String> command) throws IOException, InterruptedException {
    return checked(command, run(command)).millis();
  }

  /** The output of the program; anything but status 0 is an error. */
  String output(List<String> command) throws IOException, InterruptedException {
    return checked(command, run(command)).output();
  }

  /** The milliseconds of a program that leaves something behind which keeps its output open, or that writes much. */
  double millisUnread(List<String> command) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    Process process = builder(command).redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD).start();
    int status = process.waitFor();
    double millis = (System.nanoTime() - begin) / 1e6;
    return checked(command, new Result(status, "(not read)", millis)).millis();
  }

  Result run(List<String> command) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    Process process = builder(command).redirectErrorStream(true).start();
    byte[] output = process.getInputStream().readAllBytes();
    int status = process.waitFor();
    double millis = (System.nanoTime() - begin) / 1e6;
    return new Result(status, new String(output, StandardCharsets.UTF_8), millis);
  }

  /** A program that goes on beside us; its errors are dropped. */
  Process start(List<String> command) throws IOException {
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
