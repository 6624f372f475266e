package io.loomshim.runc;

import io.loomshim.json.Json;
import io.loomshim.json.JsonException;
import io.loomshim.json.JsonNumber;
import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.linux.SmallFile;
import io.loomshim.process.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What runc has written down of a container, {@code state.json} in the directory of that container, as far as it
 * decides who may start or delete it (runc: {@code State} in libcontainer/container_linux.go, {@code Config} in
 * libcontainer/configs). Reads files; for steps of {@link io.loomshim.threads.Aside}.
 *
 * @param pid the init process
 * @param started when it started, in clock ticks since boot
 * @param cgroups its cgroups, by controller; the one of cgroup v2 under the empty name
 * @param special what runc does for this container that {@link NativeRunc} does not, each in a few words
 * @param poststart whether it has hooks that a runc from 1.6 on runs in {@code start}
 */
record RuncState(String id, int pid, String started, Map<String, Path> cgroups, List<String> special,
    boolean poststart) {
  /** Its name in the container's directory. */
  static final String FILE = "state.json";

  /** A container with a large seccomp profile has 200 KB. */
  private static final int BYTES_MAX = 4 << 20;

  private static final String FREEZER = "freezer";
  private static final String UNIFIED = "";

  /** Of the container in {@code directory}; empty when there is none, or when its record has another shape. */
  static Optional<RuncState> read(Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    try {
      byte[] text = Files.readAllBytes(file);
      return text.length > BYTES_MAX ? Optional.empty() : parse(text);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** From the text of such a file; empty for one of another shape. */
  static Optional<RuncState> parse(byte[] text) {
    try {
      Optional<JsonSkim> state = JsonSkim.of(text);
      Optional<JsonSkim> config = state.isEmpty() ? state : state.get().object("config");
      return config.isEmpty() ? Optional.empty() : of(state.get(), config.get());
    } catch (JsonException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static Optional<RuncState> of(JsonSkim state, JsonSkim config) throws JsonException {
    Optional<JsonSkim> cgroup = config.object("cgroups");
    Map<String, Path> cgroups = paths(object(state, "cgroup_paths"));
    List<Object> namespaces = Json.array(config.value("namespaces")).orElse(List.of());
    boolean whole = cgroup.isPresent() && !cgroups.isEmpty() && !namespaces.isEmpty()
        && !object(state, "namespace_paths").isEmpty();
    if (!whole || !(state.value("id") instanceof String id)
        || !(state.value("init_process_pid") instanceof JsonNumber pid)
        || !(state.value("init_process_start") instanceof JsonNumber started)) {
      return Optional.empty();
    }
    Map<String, Object> hooks = object(config, "Hooks");
    int number = Integer.parseInt(pid.toString());
    return number <= 0 ? Optional.empty() : Optional.of(new RuncState(id, number, started.toString(), cgroups,
        special(state, config, cgroup.get(), hooks, namespaces), present(hooks.get("poststart"))));
  }

  private static List<String> special(JsonSkim state, JsonSkim config, JsonSkim cgroup, Map<String, Object> hooks,
      List<Object> namespaces) throws JsonException {
    var special = new ArrayList<String>();
    if (present(state.value("rootless")) || present(config.value("rootless_euid"))
        || present(config.value("rootless_cgroups")) || present(cgroup.value("Rootless"))) {
      special.add("rootless");
    }
    if (!privatePids(namespaces)) {
      special.add("pid namespace shared");
    }
    if (present(hooks.get("poststop"))) {
      special.add("poststop hooks");
    }
    if (present(config.value("intel_rdt")) || present(state.value("intel_rdt_path"))
        || present(state.value("intel_rdt_mon_path"))) {
      special.add("Intel RDT");
    }
    if (present(cgroup.value("Systemd"))) {
      special.add("cgroup of systemd");
    }
    if (present(cgroup.value("Paths"))) {
      special.add("cgroup given by path");
    }
    return special;
  }

  /** Go leaves out what is empty, or writes false, null, an empty text, list or object. */
  private static boolean present(Object value) {
    return value != null && value != Json.NULL && !value.equals(false) && !value.equals("") && !value.equals(List.of())
        && !value.equals(Map.of());
  }

  private static boolean privatePids(List<Object> namespaces) {
    boolean found = false;
    for (Object element : namespaces) {
      Map<String, Object> namespace = Json.object(element).orElse(Map.of());
      if (namespace.getOrDefault("type", "").equals("NEWPID")) {
        found = !present(namespace.get("path"));
      }
    }
    return found;
  }

  private static Map<String, Object> object(JsonSkim object, String name) throws JsonException {
    return Json.object(object.value(name)).orElse(Map.of());
  }

  /** Nothing if one of them is no absolute path. */
  private static Map<String, Path> paths(Map<String, Object> object) {
    var paths = new LinkedHashMap<String, Path>();
    for (var entry : object.entrySet()) {
      if (!(entry.getValue() instanceof String path) || !path.startsWith("/")) {
        return Map.of();
      }
      paths.put(entry.getKey(), Path.of(path));
    }
    return paths;
  }

  /** Whether its init runs: is there, has not ended, and is not another process of the same pid. */
  boolean lives() {
    return Processes.lives(pid, started);
  }

  /** Whether the kernel may hold its processes; as runc asks it, but whatever is unclear counts as held. */
  boolean perhapsPaused() throws IOException {
    boolean first = cgroups.containsKey(FREEZER);
    Path directory = cgroups.get(first ? FREEZER : UNIFIED);
    if (directory == null) {
      return false;
    }
    try {
      String text = SmallFile.text(directory + (first ? "/freezer.state" : "/cgroup.freeze"));
      return !text.equals(first ? "THAWED\n" : "0\n");
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) {
        throw e;
      }
      return false; // the cgroup is gone, or the kernel has no freezer
    }
  }
}
