package io.loomshim.runc;

import io.loomshim.linux.ProgramCopy;
import io.loomshim.log.Log;
import io.loomshim.threads.Aside;
import io.loomshim.threads.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Copies of runtimes in memory, sealed, for those that would copy themselves each time so that no container gets at the
 * program on the disk (CVE-2019-5736): one that finds that it runs from a sealed copy does not make another. Whether it
 * does is seen by what the init of a container runs from while that waits for its start. See SECURITY.md.
 *
 * <p>A copy is used as long as the file is the one that was copied, which is looked up before each use. Where it cannot
 * be started the file is ({@link io.loomshim.process.Spawn#image}).
 *
 * <p>A registry of the process, as copies are descriptors of it; may be used from any thread, there is no lock.
 */
public final class SealedPrograms {
  /** When a copy is made of a runtime that copies itself. */
  public enum Policy {
    /** If nothing about a container or about its protection is different. */
    AUTO,
    /** Even if modes of the copy can be changed, or a security module knows the program by its path. */
    ALWAYS,
    NEVER
  }

  private static final String MEMORY = "/memfd:";
  private static final String DIRECTORY = "programs";

  /** What is known of one program; without a copy, it is being copied or not to be. */
  private static final class Known {
    private final Optional<Copy> copy;

    Known(Optional<Copy> copy) {
      this.copy = copy;
    }
  }

  private record Copy(FileStamp source, ProgramCopy program, Path link) {}

  private static final Known NONE = new Known(Optional.empty());
  private static final ConcurrentHashMap<String, Known> KNOWN = new ConcurrentHashMap<>();
  private static final AtomicInteger MADE = new AtomicInteger();
  private static volatile Policy policy = Policy.NEVER;
  private static volatile Path links = Path.of("/");

  private SealedPrograms() {}

  /** From now on copies are made, and named in {@code directory}, which is for root alone. */
  public static void use(Policy wanted, Path directory) {
    links = directory.resolve(DIRECTORY);
    policy = wanted;
  }

  /**
   * What to run for the file {@code program}: a name of its copy, whose last part the kernel shows as that of the
   * process, or empty for the file itself. For a step that may wait for the program's file system.
   */
  static String image(String program) {
    Known known = KNOWN.get(program);
    if (known == null || known.copy.isEmpty()) {
      return "";
    }
    Copy copy = known.copy.get();
    if (copy.source.holds(program)) {
      return copy.link.toString();
    }
    if (KNOWN.remove(program, known)) { // it was updated
      retire(copy);
    }
    return "";
  }

  /** {@code pid}, an init that waits for its start, was made by {@code program}. Waits for nothing. */
  static void observe(String program, int pid) {
    if (policy == Policy.NEVER) {
      return;
    }
    try {
      String runs = Files.readSymbolicLink(Path.of("/proc/" + pid + "/exe")).toString();
      if (!runs.startsWith(MEMORY)) {
        return;
      }
      Known known = KNOWN.putIfAbsent(program, NONE);
      if (known == null) {
        boolean confined = !label("/proc/self/attr/current").equals(label("/proc/" + pid + "/attr/current"));
        Threads.start("seal/" + Path.of(program).getFileName(), () -> seal(program, confined));
      } else if (known.copy.isPresent() && !runs.startsWith(MEMORY + name(program))
          && KNOWN.replace(program, known, NONE)) {
        Log.info("the runtime copies itself although it is sealed", "path", program);
        retire(known.copy.get());
      }
    } catch (IOException e) {
      // it has ended
    }
  }

  /** What a security module calls a process; where it says that it confines nothing, that alone. */
  static String label(String file) {
    try {
      String label = Files.readString(Path.of(file)).strip();
      return label.endsWith(" (unconfined)") ? "unconfined" : label;
    } catch (IOException e) {
      return ""; // there is no security module
    }
  }

  private static String name(String program) {
    return "loomshim-" + Path.of(program).getFileName();
  }

  /** What the thread {@code seal/NAME} runs. */
  private static void seal(String program, boolean confined) {
    try {
      if (confined && policy == Policy.AUTO) {
        throw new IOException("a security module knows the program by its path");
      }
      Copy copy = Aside.run("copy " + program, () -> copy(program), SealedPrograms::retire);
      if (!KNOWN.replace(program, NONE, new Known(Optional.of(copy)))) {
        retire(copy);
      }
    } catch (IOException | InterruptedException e) {
      Log.info("no sealed copy of the runtime", "path", program, "error", String.valueOf(e.getMessage()));
    }
  }

  private static Copy copy(String program) throws IOException {
    FileStamp before = FileStamp.of(program);
    if (!FileStamp.elf(Path.of(program))) {
      throw new IOException("the program is a script");
    }
    ProgramCopy made = ProgramCopy.of(program, name(program));
    boolean done = false;
    try {
      if (!made.immutable() && policy == Policy.AUTO) {
        throw new IOException("this kernel lets containers change the mode of a copy");
      }
      if (!before.holds(program)) {
        throw new IOException("the program changed meanwhile");
      }
      var copy = new Copy(before, made, link(program, made));
      done = true;
      return copy;
    } finally {
      if (!done) {
        made.retire();
      }
    }
  }

  /** A name that ends as the program's does, in a directory of its own. */
  private static Path link(String program, ProgramCopy copy) throws IOException {
    Path directory = links.resolve(ProcessHandle.current().pid() + "-" + MADE.incrementAndGet());
    Path link = Files.createDirectories(directory).resolve(Path.of(program).getFileName());
    Files.deleteIfExists(link); // of a daemon that was killed and had our pid
    return Files.createSymbolicLink(link, Path.of(copy.path()));
  }

  private static void retire(Copy copy) {
    try {
      Files.deleteIfExists(copy.link);
      Files.deleteIfExists(copy.link.getParent());
      copy.program.retire();
    } catch (IOException e) {
      Log.warn("failed to release a sealed copy", "path", copy.link.toString(), "error",
          String.valueOf(e.getMessage()));
    }
  }
}
