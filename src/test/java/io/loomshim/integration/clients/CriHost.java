package io.loomshim.integration.clients;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.TestImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The configuration of a containerd that serves CRI, with the runtimes that a test wants, and the image of its
 * containers. Pods are in the network of the host, so no plugin for networks is needed.
 */
final class CriHost {
  /** Where CRI's containers are, in containerd and in runc. */
  static final String NAMESPACE = "k8s.io";
  static final String IMAGE = "docker.io/library/loomshim-test:latest";
  /** The handler of a shim of Go, which is there in any case. */
  static final String GO = "runc";

  /** Below it are the cgroups of all pods of this JVM. */
  private static final String CGROUPS = "/" + Names.PREFIX + "cri";

  /** A table of {@code runtimes}: its type, further settings, and the text of its table of options. */
  record Runtime(String type, Map<String, String> settings, String options) {}

  private final Map<String, Runtime> runtimes;
  private final String snapshotter;

  CriHost(Map<String, Runtime> runtimes) {
    this(runtimes, "native"); // works on every file system, the overlay of a container too
  }

  CriHost(Map<String, Runtime> runtimes, String snapshotter) {
    this.snapshotter = snapshotter;
    this.runtimes = new TreeMap<>(runtimes);
    this.runtimes.put(GO, new Runtime("io.containerd.runc.v2", Map.of(), ""));
  }

  /** Starts that containerd with all that it has below {@code directory}; for {@link Bed}. */
  Containerd start(Path directory) {
    try {
      network(directory);
      return Containerd.start(directory, configuration(directory));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What {@code docs/KUBERNETES.md} says, and everything else below {@code directory}. */
  String configuration(Path directory) {
    boolean second = Containerd.version()[0] >= 2;
    String cri = second ? "plugins.'io.containerd.cri.v1.runtime'" : "plugins.\"io.containerd.grpc.v1.cri\"";
    String streams = second ? "plugins.'io.containerd.grpc.v1.cri'" : cri;
    var text = new StringBuilder("""
        version = %s
        root = "%2$s/root"
        state = "%2$s/state"
        [grpc]
          address = "%2$s/grpc"
        [ttrpc]
          address = "%2$s/ttrpc"
        [debug]
          level = "debug"
        [plugins."io.containerd.internal.v1.opt"]
          path = "%2$s/opt"
        """.formatted(second ? 3 : 2, directory));
    // inside a container this machine may not lower the score of a sandbox
    String restricted = "  restrict_oom_score_adj = true\n";
    String stream = "  stream_server_address = \"127.0.0.1\"\n  stream_server_port = \"0\"\n";
    if (second) {
      text.append("[plugins.'io.containerd.cri.v1.images']\n  snapshotter = \"" + snapshotter + "\"\n");
      text.append("[plugins.'io.containerd.cri.v1.images'.pinned_images]\n  sandbox = \"" + IMAGE + "\"\n");
      text.append('[').append(streams).append("]\n").append(stream);
      text.append('[').append(cri).append("]\n").append(restricted);
    } else {
      text.append('[').append(cri).append("]\n  sandbox_image = \"" + IMAGE + "\"\n").append(stream)
          .append(restricted);
      text.append('[').append(cri).append(".containerd]\n  snapshotter = \"")
          .append(snapshotter).append("\"\n");
    }
    text.append('[').append(cri).append(".cni]\n  bin_dir = \"").append(directory).append("/cni\"\n  conf_dir = \"")
        .append(directory).append("/cni\"\n");
    runtimes.forEach((name, runtime) -> {
      String table = cri + ".containerd.runtimes." + name;
      text.append('[').append(table).append("]\n  runtime_type = \"").append(runtime.type).append("\"\n");
      runtime.settings.forEach((key, value) -> text.append("  " + key + " = \"" + value + "\"\n"));
      if (!runtime.options.isEmpty()) {
        text.append('[').append(table).append(".options]\n").append(runtime.options);
      }
    });
    return text.toString();
  }

  /** Gives the pods of {@code directory} networks of their own, which have no device but the loopback. */
  private static void network(Path directory) throws IOException {
    Path plugins = Files.createDirectories(directory.resolve("cni"));
    Files.writeString(plugins.resolve("10-alone.conflist"),
        "{\"cniVersion\": \"0.4.0\", \"name\": \"pods\", \"plugins\": [{\"type\": \"alone\"}]}");
    for (String name : List.of("alone", "loopback")) {
      Path plugin = plugins.resolve(name);
      Files.writeString(plugin, """
          #!/bin/sh
          case $CNI_COMMAND in
            ADD) printf '{"cniVersion": "0.4.0", "interfaces": [{"name": "%s", "sandbox": "%s"}],
              "ips": [{"version": "4", "interface": 0, "address": "127.0.0.1/8"}]}' "$CNI_IFNAME" "$CNI_NETNS" ;;
            VERSION) echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}' ;;
          esac
          """);
      Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  /** Connects to the containerd of {@code bed}, and returns when it has the image. */
  static Cri connect(Bed bed) {
    var cri = new Cri(bed.containerd().address());
    bed.ctr().in(NAMESPACE).call("images", "import", "--no-unpack", new TestImage(bed).archive().toString()).ok();
    // CRI learns of it by an event
    Await.until("CRI knows the image", () -> cri.hasImage(IMAGE));
    return cri;
  }

  /** The parent of the cgroups of a pod. */
  static String cgroup(String pod) {
    return CGROUPS + "/" + pod;
  }

  /** The state directories that runc has in the root of {@code ids}, where CRI's containers are when none is told. */
  static List<Path> left(List<String> ids) {
    var found = new ArrayList<Path>();
    for (String id : ids) {
      Path state = Names.RUNC_ROOT.resolve(NAMESPACE).resolve(id);
      if (Files.exists(state)) {
        found.add(state);
      }
    }
    return found;
  }

  /** Removes the directories that {@link #cgroup} names, once nothing is in them; others may be coming to life. */
  static void removeCgroup(String pod) {
    try (var roots = Files.list(Path.of("/sys/fs/cgroup"))) {
      var all = new ArrayList<>(roots.toList());
      all.add(Path.of("/sys/fs/cgroup"));
      for (Path root : all) {
        root.resolve(cgroup(pod).substring(1)).toFile().delete();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
