package io.loomshim.bench.report;

import java.util.Map;
import java.util.TreeSet;

/** The machine and the programs of a run, in one sentence. */
public final class Machine {
  private Machine() {}

  public static String text(Map<String, String> env) {
    var jdks = new TreeSet<String>();
    env.forEach((key, value) -> {
      if (key.equals("jdk") || key.startsWith("jdk of ")) {
        jdks.add("JDK " + value);
      }
    });
    return env.get("cores") + " cores (" + env.get("cpu") + "), " + env.get("memory") + ", kernel "
        + env.get("kernel").replaceFirst("-.*", "") + ", cgroup v" + env.get("cgroup") + ",\ncontainerd "
        + env.get("containerd") + ", runc " + env.get("runc") + ", " + String.join(", ", jdks) + ".";
  }
}
