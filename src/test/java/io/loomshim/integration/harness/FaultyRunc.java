package io.loomshim.integration.harness;

import com.google.protobuf.Any;
import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/**
 * The real runc with a fault in one of its commands, for what happens when a step after it fails: a program that is
 * named in the options of Create. In the script of the fault {@code $pidfile} is where the pid was to be written,
 * {@code $log} the log, {@code $runc} the real one, and {@code $0} the program, beside which the script may leave
 * files.
 */
public record FaultyRunc(Path program) {
  /** Instead of {@code command}, {@code script} is run, which may call {@code runc "$@"}. */
  public static FaultyRunc make(Path directory, String command, String script) {
    return make(directory.resolve(Names.id("faulty-runc")), List.of(command), script);
  }

  /** The same for several commands, as the file {@code program}. */
  public static FaultyRunc make(Path program, List<String> commands, String script) {
    String pattern = "*' " + String.join(" '*|*' ", commands) + " '*";
    try {
      String real = OciRuntime.program();
      Files.writeString(program, "#!/bin/sh\nrunc=" + real + "\nif [ -e \"$0.mended\" ]; then exec $runc \"$@\"; fi\n"
          + "pidfile= log= previous=\nfor word in \"$@\"; do\n"
          + "case $previous in --pid-file) pidfile=$word ;; --log) log=$word ;; esac; previous=$word; done\n"
          + "case \" $* \" in " + pattern + ")\n" + script + "\n;; *) exec $runc \"$@\" ;; esac\n");
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
      return new FaultyRunc(program);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Optional<Any> options(Path directory, String command, String script) {
    return make(directory, command, script).options();
  }

  /** What names it in a Create. */
  public Optional<Any> options() {
    return Optional.of(Shims.any("containerd.runc.v1.Options",
        Options.newBuilder().setBinaryName(program.toString()).build()));
  }

  /** From now on it is the real one. */
  public void mend() {
    try {
      Files.createFile(beside("mended"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file that a script calls {@code $0.NAME}. */
  public Path beside(String name) {
    return Path.of(program + "." + name);
  }
}
