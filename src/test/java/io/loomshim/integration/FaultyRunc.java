package io.loomshim.integration;

import com.google.protobuf.Any;
import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/**
 * The real runc with a fault in one of its commands, for what happens when a step after it fails: a program that is
 * named in the options of Create. In the script of the fault {@code $pidfile} is where the pid was to be written.
 */
final class FaultyRunc {
  private FaultyRunc() {}

  /** Instead of {@code command}, {@code script} is run, which may call {@code runc "$@"}. */
  static Optional<Any> options(Path directory, String command, String script) {
    try {
      Path program = Files.createTempFile(directory, "faulty-runc", "");
      Files.writeString(program, "#!/bin/sh\npidfile= previous=\n"
          + "for word in \"$@\"; do if [ \"$previous\" = --pid-file ]; then pidfile=$word; fi; previous=$word; done\n"
          + "case \" $* \" in *' " + command + " '*)\n" + script + "\n;; *) exec " + OciRuntime.program()
          + " \"$@\" ;; esac\n");
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
      return Optional.of(Shims.any("containerd.runc.v1.Options",
          Options.newBuilder().setBinaryName(program.toString()).build()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
