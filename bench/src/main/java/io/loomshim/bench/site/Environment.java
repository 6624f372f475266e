package io.loomshim.bench.site;

import io.loomshim.bench.figure.Size;
import io.loomshim.bench.proc.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

/** The machine and the programs that are measured, as {@code env.json} keeps them. */
public final class Environment {
  private Environment() {}

  /** What the machine and its programs are. */
  public static Map<String, String> look(Site site, Size size) throws IOException, InterruptedException {
    var seen = new LinkedHashMap<String, String>();
    seen.put("date", LocalDate.now().toString());
    seen.put("size", size.name().toLowerCase(java.util.Locale.ROOT));
    seen.put("cpu", value(Path.of("/proc/cpuinfo"), "model name"));
    seen.put("cores", "" + Runtime.getRuntime().availableProcessors());
    seen.put("memory", Math.round(Proc.number(Path.of("/proc/meminfo"), "MemTotal:") / 1048576.0) + " GB");
    seen.put("kernel", Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip());
    seen.put("cgroup", Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers")) ? "2" : "1");
    seen.put("containerd", site.command().output(List.of("containerd", "--version")).split(" ")[2]);
    seen.put("runc", site.command().output(List.of("runc", "--version")).lines().findFirst().orElse("")
        .replace("runc version ", ""));
    seen.put("loomshim", System.getProperty("bench.build", "unknown"));
    seen.put("clients_jdk", System.getProperty("java.runtime.version"));
    // the script's, from before its build
    seen.put("load_before", System.getProperty("bench.load", Files.readString(Path.of("/proc/loadavg")).strip()));
    return seen;
  }

  /**
   * A daemon of ours.
   *
   * @param jdk its version
   * @param flags its whole command line, without the paths of this one run
   */
  public record Daemon(String jdk, String flags) {}

  /** What the process {@code pid}, a daemon of ours, really has. */
  public static Daemon daemon(Site site, long pid) throws IOException {
    String[] daemon = Files.readString(Path.of("/proc/" + pid, "cmdline")).split("\0");
    return new Daemon(release(Path.of(daemon[0]).toRealPath().resolve("../../release").normalize()),
        String.join(" ", daemon).replace(site.scope().toString(), "SCOPE"));
  }

  /** How busy the processors are now, looked at for a second. */
  public static double busyPercent() throws IOException, InterruptedException {
    double before = Proc.busy();
    TimeUnit.SECONDS.sleep(1);
    return (Proc.busy() - before) * 100 / Runtime.getRuntime().availableProcessors();
  }

  private static String value(Path file, String key) throws IOException {
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith(key)) {
        return line.substring(line.indexOf(':') + 1).strip();
      }
    }
    return "unknown";
  }

  private static String release(Path file) throws IOException {
    var properties = new Properties();
    try (var reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    }
    return properties.getProperty("JAVA_RUNTIME_VERSION", properties.getProperty("JAVA_VERSION", "")).replace("\"", "");
  }
}
