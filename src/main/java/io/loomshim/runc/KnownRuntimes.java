package io.loomshim.runc;

import io.loomshim.log.Log;
import io.loomshim.threads.Aside;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What programs say that they are when they are asked for their {@code --version}: each is asked once, on a thread of
 * its own, and asked again when its file has changed, so that an update counts from the next command on. No call waits
 * for an answer. One for all containers of a daemon; may be used from any thread.
 *
 * <p>Two things depend on it: whether it is a runc whose {@code start} and {@code delete} {@link NativeRunc} can do,
 * which is called {@code runc}, is no script, and of a version that is supported; and whether it moves processes into
 * cgroups, which a script may tell of the program that it wraps.
 */
public final class KnownRuntimes {
  /** For a daemon that leaves everything to the runtime, the setting {@code native_runc=false}. */
  public static final KnownRuntimes NONE = new KnownRuntimes(false);

  /** After this long {@link #version} has the file looked at. */
  static final Duration AGE_MAX = Duration.ofMinutes(5);

  /** Of a script that was not asked there is no version. */
  private record Answer(boolean supported, Optional<RuntimeVersion> version) {}

  /** The last version of a program by the name that is configured, and when its file was looked at. */
  private record Named(RuntimeVersion version, long nanos) {}

  private final boolean on;
  private final ConcurrentHashMap<FileStamp, Answer> answers = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Named> names = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Boolean> asking = new ConcurrentHashMap<>(); // as configured, now

  private KnownRuntimes(boolean on) {
    this.on = on;
  }

  /** Knows none yet. */
  public static KnownRuntimes empty() {
    return new KnownRuntimes(true);
  }

  /** Whether any can be known. */
  boolean on() {
    return on;
  }

  /** Has the program of {@code runner} asked while none is known; waits for nothing. */
  void prepare(CommandRunner runner, String id) {
    if (on && answers.isEmpty() && called(runner)) {
      ask(runner, id, false);
    }
  }

  /**
   * Whether {@link NativeRunc} can do what the program of {@code runner} does; false as long as it has not answered,
   * and it is asked then. For steps of {@link Aside}.
   */
  boolean knows(CommandRunner runner, String id) throws IOException, InterruptedException {
    if (!on || !called(runner)) {
      return false;
    }
    Answer answer = answers.get(FileStamp.of(runner.program()));
    if (answer == null) {
      ask(runner, id, false);
    }
    return answer != null && answer.supported;
  }

  /**
   * What the program of {@code runner} was when it was last asked, {@link RuntimeVersion#UNKNOWN} before that. Waits
   * for nothing: an update counts once a command has met it, or after {@link #AGE_MAX}.
   */
  RuntimeVersion version(CommandRunner runner, String id) {
    Named named = names.get(runner.settings().binary());
    if (named == null || System.nanoTime() - named.nanos >= AGE_MAX.toNanos()) {
      ask(runner, id, true);
    }
    return named == null ? RuntimeVersion.UNKNOWN : named.version;
  }

  private static boolean called(CommandRunner runner) {
    Path name = Path.of(runner.settings().binary()).getFileName();
    return name != null && name.toString().equals(RuncSettings.DEFAULT_BINARY);
  }

  /** {@code scripts}: them, too. */
  private void ask(CommandRunner runner, String id, boolean scripts) {
    if (asking.putIfAbsent(runner.settings().binary(), true) != null) {
      return;
    }
    boolean begun = false;
    try {
      Threads.start("runc/version/" + id, new Runnable() {
        @Override
        public void run() {
          RuntimeVersion version = RuntimeVersion.UNKNOWN; // of one that does not tell
          try {
            version = learn(runner, id, scripts);
          } catch (IOException | InterruptedException | OutOfMemoryError e) { // the next command asks again
            Log.debug("the version of runc is not known", "id", id, "error", String.valueOf(e.getMessage()));
          } finally {
            names.put(runner.settings().binary(), new Named(version, System.nanoTime()));
            asking.remove(runner.settings().binary());
          }
        }
      });
      begun = true;
    } finally {
      if (!begun) {
        asking.remove(runner.settings().binary());
      }
    }
  }

  /** Asks the program now, unless it has answered. */
  RuntimeVersion learn(CommandRunner runner, String id, boolean scripts) throws IOException, InterruptedException {
    var looking = new Aside.Step<Look>() {
      @Override
      public Look run() throws IOException, InterruptedException {
        FileStamp program = FileStamp.of(runner.program());
        return new Look(program, FileStamp.elf(Path.of(program.path())));
      }
    };
    Look look = Aside.run("stat " + runner.settings().binary(), looking);
    Answer answer = answers.get(look.program);
    boolean lacks = answer == null || scripts && answer.version.isEmpty();
    if (lacks) {
      answer = look.elf || scripts ? answer(runner, id, look) : new Answer(false, Optional.empty());
      answers.put(look.program, answer);
    }
    return answer.version.orElse(RuntimeVersion.UNKNOWN);
  }

  private record Look(FileStamp program, boolean elf) {}

  private static Answer answer(CommandRunner runner, String id, Look look) throws RuncException, InterruptedException {
    String text = runner.run(new RuncCommand.Version(id));
    Optional<RuncVersion> version = look.elf ? RuncVersion.parse(text) : Optional.empty();
    boolean supported = version.isPresent() && version.get().supported();
    Log.debug(supported ? "start and delete need no runc" : "start and delete are left to this runc", "program",
        look.program.path());
    return new Answer(supported, Optional.of(RuntimeVersion.parse(text)));
  }
}
