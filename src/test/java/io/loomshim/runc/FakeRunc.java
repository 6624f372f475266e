package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** A shell script in the place of runc that misbehaves as told; {@code $log} is the log file that it was given. */
final class FakeRunc {
  static final RuncLimits SHORT =
      new RuncLimits(Duration.ofMillis(1500), Duration.ofSeconds(20), Duration.ofSeconds(20));
  /** For calls that must end long before their limit. */
  static final RuncLimits LONG =
      new RuncLimits(Duration.ofSeconds(60), Duration.ofSeconds(60), Duration.ofSeconds(60));

  private final Path dir;
  private final Path script;

  FakeRunc(Path dir, String body) throws IOException {
    this.dir = dir;
    script = dir.resolve("fake-runc");
    Files.writeString(script, "#!/bin/sh\nlog=$4\n" + body + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  Path log() {
    return dir.resolve("log.json");
  }

  String path() {
    return script.toString();
  }

  CommandRunner runc(RuncLimits limits) {
    return runc("fake-runc", limits);
  }

  CommandRunner runc(String binary, RuncLimits limits) {
    return runc(binary, limits, new RuncCalls());
  }

  CommandRunner runc(String binary, RuncLimits limits, RuncCalls calls) {
    var settings = new RuncSettings(binary, dir.resolve("root"), log(), Optional.empty(), false);
    return new CommandRunner(settings, dir, limits,
        Map.of("PATH", "relative:/nowhere:" + dir + ":/usr/bin:/bin", "NOTIFY_SOCKET", "/n", "A", "b"), calls);
  }

  /** The runtime of the container {@code id}. */
  Runc of(String id) {
    var settings = new RuncSettings(path(), dir.resolve("root"), log(), Optional.empty(), false);
    return new Runc(id, settings, dir, LONG, Map.of("PATH", "/usr/bin:/bin"), new RuncCalls(), KnownRuntimes.NONE);
  }

  /** The number that the script wrote into the file {@code name}. */
  long pid(String name) throws IOException {
    return Long.parseLong(Files.readString(dir.resolve(name)).strip());
  }

  /** Fails when {@code pid} is there, even as a zombie. */
  static void assertGone(long pid) {
    assertFalse(Files.exists(Path.of("/proc/" + pid)), "process " + pid + " is still there");
  }
}
