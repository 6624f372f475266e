package io.loomshim.integration.harness;

import io.loomshim.linux.Posix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A bundle directory made as containerd makes it: {@code config.json} with what ctr asks for, a
 * {@code log} FIFO that somebody reads, an empty {@code rootfs}, a {@code work} directory.
 */
public final class Bundle implements AutoCloseable {
  private final Path path;
  private final String id;
  private final Exec logReader;

  private Bundle(Path path, String id, Exec logReader) {
    this.path = path;
    this.id = id;
    this.logReader = logReader;
  }

  /** Makes the bundle of container {@code id} below {@code parent}; {@code config} is its config.json. */
  public static Bundle create(Path parent, String id, String config) {
    try {
      Path path = Files.createDirectories(parent.resolve(id));
      Files.createDirectory(path.resolve("rootfs"));
      Files.createDirectory(path.resolve("work"));
      Files.writeString(path.resolve("config.json"), config);
      fifo(path.resolve("log"));
      var setting = new Exec.Setting(path, Map.of());
      return new Bundle(path, id, Exec.start(parent, setting, List.of("sh", "-c", "exec cat <> log")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Path fifo(Path path) {
    try {
      Posix.fifo(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return path;
  }

  public Path path() {
    return path;
  }

  public String id() {
    return id;
  }

  /** Gives the init a terminal, and the container what terminals need. */
  public Bundle withTerminal() {
    String dev = "\"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},";
    Path config = path.resolve("config.json");
    try {
      Files.writeString(config, Files.readString(config).replace("\"process\": {", "\"process\": {\"terminal\": true,")
          .replace(dev, dev + "{\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\", "
              + "\"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]},"));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Gives the container a user namespace, whose ids begin at {@code uid} and {@code gid} of the host. */
  public Bundle withUserNamespace(int uid, int gid) {
    String size = ", \"containerID\": 0, \"size\": 65536}], ";
    Path config = path.resolve("config.json");
    try {
      Files.writeString(config, Files.readString(config).replace("\"namespaces\": [", "\"uidMappings\": [{\"hostID\": "
          + uid + size + "\"gidMappings\": [{\"hostID\": " + gid + size + "\"namespaces\": [{\"type\": \"user\"}, ")
          .replace("\"readonly\": true", "\"readonly\": false"));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From now on nobody reads the log, unless the test does. */
  public void leaveLog() {
    logReader.kill();
  }

  /** What the shim has logged for this container. */
  public String log() {
    return logReader.output();
  }

  @Override
  public void close() {
    logReader.kill();
    Scratch.remove(path);
  }

  /** The config.json of a container with a pid namespace of its own. */
  public static String config(String root, String cgroup, String... arguments) {
    var quoted = new ArrayList<String>();
    for (String argument : arguments) {
      quoted.add('"' + argument.replace("\\", "\\\\").replace("\"", "\\\"") + '"');
    }
    return CONFIG.replace("@ARGS@", String.join(", ", quoted)).replace("@ROOT@", root).replace("@CGROUP@", cgroup);
  }

  private static final String CONFIG = """
      {
        "ociVersion": "1.0.2-dev",
        "process": {
          "user": {"uid": 0, "gid": 0},
          "args": [@ARGS@],
          "env": ["PATH=/bin"],
          "cwd": "/",
          "capabilities": {
            "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]
          },
          "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
          "noNewPrivileges": true
        },
        "root": {"path": "@ROOT@", "readonly": true},
        "mounts": [
          {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
          {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
          {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
          {"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]}
        ],
        "linux": {
          "resources": {"devices": [{"allow": false, "access": "rwm"}], "cpu": {"shares": 1024}},
          "cgroupsPath": "@CGROUP@",
          "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}]
        }
      }
      """;
}
