package io.loomshim.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A program that runs beside the test with its output going to files, so that nothing needs a
 * reader. Used from one thread.
 */
public final class Exec {
  /** What a finished program left. */
  public record Result(List<String> command, int exit, byte[] out, byte[] err) {
    public String text() {
      return new String(out, StandardCharsets.UTF_8);
    }

    public String errors() {
      return new String(err, StandardCharsets.UTF_8);
    }

    /** This result, after a check that the program succeeded. */
    public Result ok() {
      if (exit != 0) {
        throw new AssertionError("exit " + exit + " of " + this);
      }
      return this;
    }

    @Override
    public String toString() {
      return String.join(" ", command) + "\nexit " + exit + "\nstdout: " + text() + "\nstderr: " + errors();
    }
  }

  /** Where the program runs and what it gets. */
  public record Setting(Path directory, Map<String, String> environment, Path stdin) {
    public static final Path NO_STDIN = Path.of("/dev/null");
    /** For a stdin that {@link Exec#feed} fills. */
    public static final Path PIPE = Path.of("-");

    public Setting(Path directory, Map<String, String> environment) {
      this(directory, environment, NO_STDIN);
    }
  }

  private final List<String> command;
  private final Process process;
  private final Path out;
  private final Path err;

  private Exec(List<String> command, Process process, Path out, Path err) {
    this.command = command;
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** Starts {@code command}; stdout and stderr go to new files under {@code scratch}. */
  public static Exec start(Path scratch, Setting setting, List<String> command) {
    try {
      Path out = Files.createTempFile(scratch, "out", "");
      Path err = Files.createTempFile(scratch, "err", "");
      var builder = new ProcessBuilder(command).directory(setting.directory().toFile())
          .redirectOutput(out.toFile()).redirectError(err.toFile());
      if (!setting.stdin().equals(Setting.PIPE)) {
        builder.redirectInput(setting.stdin().toFile());
      }
      builder.environment().putAll(setting.environment());
      return new Exec(command, builder.start(), out, err);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public long pid() {
    return process.pid();
  }

  public Process process() {
    return process;
  }

  /** Writes to the program's stdin and then closes it. */
  public void feed(byte[] data) {
    try (var stdin = process.getOutputStream()) {
      stdin.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes to the program's stdin and leaves it open. */
  public void type(String text) {
    try {
      process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public boolean running() {
    return process.isAlive();
  }

  public String output() {
    return new String(read(out), StandardCharsets.UTF_8);
  }

  /** Waits for the end; after {@code limit} the program is killed and the test fails. */
  public Result await(Duration limit) {
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly().waitFor();
        throw new AssertionError("did not end within " + limit + ": "
            + new Result(command, -1, read(out), read(err)));
      }
      var result = new Result(command, process.exitValue(), read(out), read(err));
      Files.deleteIfExists(out);
      Files.deleteIfExists(err);
      return result;
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw new AssertionError("interrupted while waiting for " + command, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the program whatever it does. */
  public void kill() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
