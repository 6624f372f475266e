package io.loomshim.container;

import io.loomshim.json.Json;
import io.loomshim.json.JsonException;
import io.loomshim.linux.WholeFile;
import io.loomshim.proto.runc.Options;
import io.loomshim.runc.OptionsJson;
import io.loomshim.runc.PidFile;
import io.loomshim.runc.RuncSettings;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The files of a bundle directory that the shim reads and writes; to be called within {@link Aside} steps. */
public record Bundle(Path directory) {

  Path rootfs() {
    return directory.resolve("rootfs");
  }

  /** Where runc appends its log. */
  Path runcLog() {
    return directory.resolve("log.json");
  }

  PidFile initPidFile() {
    return new PidFile(directory.resolve("init.pid"));
  }

  /** The ids {@code init} and {@code shim} would hit files that are not theirs; no id begins with a dot. */
  PidFile execPidFile(String execId) {
    boolean taken = execId.equals("init") || execId.equals("shim");
    return new PidFile(directory.resolve((taken ? "." : "") + execId + ".pid"));
  }

  /** What runc reads the process object of an exec from. */
  Path processFile(String execId) {
    return directory.resolve("." + execId + ".process.json");
  }

  /** Whether containerd 2 has asked for this container: it keeps this file in its bundles. */
  boolean ofContainerd2() {
    return Files.exists(directory.resolve("bootstrap.json"));
  }

  /** Where CRIU works when it saves, if nothing else is said. */
  Path criuWork() {
    return criuRestoreWork().resolve("criu-work");
  }

  /** The same when it restores. */
  Path criuRestoreWork() {
    return directory.resolve("work");
  }

  /** The same, if {@code other} is empty; else that. */
  Path criuRestoreWork(String other) {
    return other.isEmpty() ? criuRestoreWork() : Path.of(other);
  }

  Path criuLog() {
    return directory.resolve("criu-dump.log");
  }

  /**
   * Writes what a later {@code delete} needs to know: {@code options.json} and {@code runtime} as every
   * runc shim does, and {@code loom.runc}, the same for a shell.
   *
   * @throws java.nio.file.NoSuchFileException when there is no such bundle
   */
  void recordRuntime(Options options, RuncSettings runc, boolean mounts) throws IOException {
    write("options.json", OptionsJson.write(options));
    write("runtime", options.getBinaryName());
    write(
        "loom.runc",
        "binary=" + runc.binary() + "\nroot=" + runc.root() + "\nmounts=" + flag(mounts)
            + "\nsystemd_cgroup=" + flag(runc.systemdCgroup()) + "\n");
  }

  private static String flag(boolean on) {
    return on ? "1" : "0";
  }

  private void write(String name, String content) throws IOException {
    WholeFile.writePrivate(directory.resolve(name), content);
  }

  /**
   * Whether the end of the init process leaves others alive that must be killed: always, except when
   * the container has a pid namespace of its own, whose end the kernel sees to. An unreadable
   * config.json counts as always.
   */
  boolean killAllOnExit() {
    try {
      Optional<Map<String, Object>> linux = Json.object(config().getOrDefault("linux", Json.NULL));
      if (linux.isEmpty()) {
        return true;
      }
      for (Object entry : Json.array(linux.get().getOrDefault("namespaces", Json.NULL)).orElseThrow()) {
        Map<String, Object> namespace = Json.object(entry).orElseThrow();
        if ("pid".equals(namespace.get("type")) && "".equals(namespace.getOrDefault("path", ""))) {
          return false;
        }
      }
      return true;
    } catch (IOException | java.util.NoSuchElementException e) {
      return true;
    }
  }

  private Map<String, Object> config() throws IOException, JsonException {
    assert Aside.allowed();
    Object config = Json.read(Files.readAllBytes(directory.resolve("config.json")));
    return Json.object(config).orElseThrow(() -> new IOException("config.json is not a JSON object"));
  }
}
