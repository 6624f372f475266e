package io.loomshim.runc;

import java.nio.file.Path;
import java.util.Map;

/** A {@code state.json} as runc writes it, with what decides and some of what does not. */
final class StateFile {
  private StateFile() {}

  /** Of a container that needs nothing special. */
  static String text(String id, long pid, String started, Map<String, Path> cgroups) {
    var paths = new StringBuilder();
    cgroups.forEach((name, path) ->
        paths.append(paths.isEmpty() ? "" : ",").append('"').append(name).append("\":\"").append(path).append('"'));
    return """
        {"id":"%s","init_process_pid":%d,"init_process_start":%s,"created":"2026-11-29T20:00:00.1Z",\
        "config":{"no_pivot_root":false,"rootfs":"/b/rootfs","namespaces":[{"type":"NEWPID","path":""},\
        {"type":"NEWNET","path":"/proc/1/ns/net"}],"args":["\\"poststop\\":[{}]"],\
        "cgroups":{"name":"%s","parent":"/ns","path":"/ns/%s","Systemd":false,"Rootless":false,"Paths":null},\
        "Hooks":{"createRuntime":[{"path":"/bin/true"}],"poststart":null,"poststop":null},"version":"1.0.2",\
        "rootless_cgroups":false},"rootless":false,"cgroup_paths":{%s},"namespace_paths":{"NEWPID":"/proc/%d/ns/pid"},\
        "external_descriptors":["/dev/null","pipe:[1]","pipe:[2]"],"intel_rdt_path":""}
        """.formatted(id, pid, started, id, id, paths, pid);
  }
}
