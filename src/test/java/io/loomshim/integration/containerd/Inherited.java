package io.loomshim.integration.containerd;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What containers of a bed see of all that the kernel hands from parent to child. Used by the test's thread. */
record Inherited(Bed bed, Ctr ctr) {
  /** The signals that a process ignores are not among it: runc gets none from us, whatever containerd ignores. */
  private static final String PROFILE = "cat /proc/self/limits /proc/self/oom_score_adj /proc/self/timerslack_ns"
      + " /proc/self/coredump_filter /proc/self/personality; cut -d ' ' -f 18,19,40,41 /proc/self/stat;"
      + " grep -E '^(Umask|Cap|NoNewPrivs|Seccomp|Cpus_allowed|Mems_allowed|SigBlk)' /proc/self/status";

  /** For {@code restart}: a containerd that differs from the machine in much of it. */
  static final String OTHER = "ulimit -c 77; ulimit -s 4096; umask 027; renice -n 3 $$ > /dev/null;"
      + " echo 300 > /proc/self/oom_score_adj; echo 70000 > /proc/self/timerslack_ns";

  /** Those in the bed's own namespace. */
  static Inherited in(Bed bed) {
    return new Inherited(bed, bed.ctr());
  }

  /** A containerd that has crashed comes back with what the shell's {@code words} set, and with these variables. */
  void restart(String words, Map<String, String> variables) {
    bed.containerd().crash();
    bed.containerd().restart(words, variables);
  }

  /** A spec without limits. */
  private List<String> withoutLimits(String... command) {
    String config = Bundle.config(bed.rootfs().toString(), "/" + ctr.namespace() + "/" + Names.id("cg"), command)
        .replaceAll("\"rlimits\": \\[.*],\n", "");
    Path file = bed.directory().resolve(Names.id("config"));
    try {
      Files.writeString(file, config);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return List.of("--config", file.toString());
  }

  /** What the init of a new container has. */
  String profile(Shim shim) {
    var flags = new ArrayList<>(withoutLimits("sh", "-c", PROFILE));
    flags.add("--rm");
    return ctr.run(shim, flags, Names.id("profile")).ok().text();
  }

  /** A container that waits. */
  void sleeper(Shim shim, String id) {
    var flags = new ArrayList<>(withoutLimits("sleep", "1000"));
    flags.add("--detach");
    ctr.run(shim, flags, id).ok();
  }

  /** What an exec in it has. */
  String exec(String id) {
    return ctr.call("tasks", "exec", "--exec-id", Names.id("e"), id, "sh", "-c", PROFILE).ok().text();
  }

  /** What a new container's init and an exec have. */
  String profiles(Shim shim) {
    String profile = profile(shim);
    String id = Names.id("sleeper");
    sleeper(shim, id);
    String exec = exec(id);
    ctr.end(id);
    return profile + exec;
  }
}
