package io.loomshim.stdio;

import io.loomshim.linux.Child;
import io.loomshim.linux.Deadline;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.Fd;
import io.loomshim.linux.Pipe;
import io.loomshim.linux.Poller;
import io.loomshim.linux.Spawn;
import io.loomshim.linux.Spawner;
import io.loomshim.log.Log;
import io.loomshim.threads.Joins;
import io.loomshim.threads.Threads;
import io.loomshim.ttrpc.Code;
import io.loomshim.ttrpc.StatusException;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A program that takes the output of one process: {@code binary://PATH?KEY=VALUE…} (containerd's binary logging).
 * It reads stdout from its descriptor 3 and stderr from 4, and says that it is ready by closing 5 or writing a byte
 * to it. Its environment is CONTAINER_ID and CONTAINER_NAMESPACE, nothing else.
 *
 * <p>Started by the thread of the call that creates the process; {@link #close} may be called from any thread.
 */
final class Logger implements AutoCloseable {
  /** How long a logger may take to say that it is ready. */
  static final Duration READY_WAIT_MAX = Duration.ofSeconds(30);

  /** How long it may take to end by itself once its input has ended; most do at once, and lose nothing then. */
  static final Duration END_WAIT_MAX = Duration.ofMillis(500);

  /** How long it may take after SIGTERM, before SIGKILL: what containerd gives it. */
  static final Duration TERM_WAIT_MAX = Duration.ofSeconds(12);

  private final String name;
  private final Child child;
  private final Fd stdout;
  private final Fd stderr;

  private Logger(String name, Child child, Fd stdout, Fd stderr) {
    this.name = name;
    this.child = child;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /**
   * Starts the program and waits until it is ready.
   *
   * @param name what its threads are called after
   * @throws StatusException DEADLINE_EXCEEDED when it did not get ready within {@link #READY_WAIT_MAX}
   * @throws IOException {@code failed to start binary process: …}, {@code failed to create stdout pipes: …}
   */
  static Logger start(String name, URI uri, LogContext context) throws IOException, InterruptedException {
    try (Pipe out = pipe("stdout");
        Pipe err = pipe("stderr");
        Pipe ready = pipe("ready");
        Fd nothing = Fd.open("/dev/null", Fd.O_RDWR, 0)) {
      var fds = List.of(nothing, nothing, nothing, out.reader(), err.reader(), ready.writer());
      Child child;
      try {
        child = Spawner.spawn(new Spawn(argv(uri), context.environment(), Path.of("/"), fds));
      } catch (ErrnoException e) {
        throw new IOException("failed to start binary process: " + e.getMessage(), e);
      }
      boolean started = false;
      try {
        ready.writer().close();
        awaitReady(ready.reader());
        var logger = new Logger(name, child, out.writer().duplicate(), err.writer().duplicate());
        started = true;
        return logger;
      } finally {
        if (!started) {
          child.close();
        }
      }
    }
  }

  private static Pipe pipe(String what) throws IOException {
    try {
      return Pipe.open();
    } catch (ErrnoException e) {
      throw new IOException("failed to create " + what + " pipes: " + e.getMessage(), e);
    }
  }

  /** The program and, for each key once, the key and its first value. */
  static List<String> argv(URI uri) {
    var argv = new ArrayList<String>();
    argv.add(uri.getPath());
    Set<String> keys = new HashSet<>();
    String query = uri.getRawQuery();
    if (query != null && !query.isEmpty()) {
      for (String pair : query.split("&")) {
        int equals = pair.indexOf('=');
        String key = decode(equals < 0 ? pair : pair.substring(0, equals));
        if (!pair.isEmpty() && keys.add(key)) {
          argv.add(key);
          argv.add(equals < 0 ? "" : decode(pair.substring(equals + 1)));
        }
      }
    }
    return argv;
  }

  /** The URI has been parsed, so its escapes are well formed. */
  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  /** A byte or the end of the pipe. */
  private static void awaitReady(Fd ready) throws IOException, InterruptedException {
    ready.nonBlocking(true);
    if (!Poller.shared().awaitReadable(ready, Deadline.in(READY_WAIT_MAX))) {
      throw new StatusException(
          Code.DEADLINE_EXCEEDED, "failed to read from logging binary: context deadline exceeded");
    }
  }

  /** Where to write what it is to read as stdout; stays this object's. */
  Fd stdout() {
    return stdout;
  }

  /** The same for stderr. */
  Fd stderr() {
    return stderr;
  }

  /** The process has its copies: from now on its end is the end of the logger's input. */
  void started() {
    stdout.close();
    stderr.close();
  }

  /** Ends the input, and the program if it does not end by itself. Not cut short by an interrupt. */
  @Override
  public void close() {
    started();
    if (!child.ended()) {
      Thread stopping = Threads.start(name + "/logger", this::stop);
      Joins.join(stopping, END_WAIT_MAX.plus(TERM_WAIT_MAX).plusSeconds(1));
    }
  }

  private void stop() {
    try (child) {
      if (child.await(END_WAIT_MAX).isEmpty()) {
        child.kill(Child.SIGTERM);
        child.await(TERM_WAIT_MAX);
      }
    } catch (InterruptedException | ErrnoException e) {
      Log.warn("logger does not end orderly", "name", name, "error", String.valueOf(e.getMessage()));
    }
  }
}
