package io.loomshim.integration.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Await;
import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods with a user namespace ({@code hostUsers: false}), as a kubelet asks for them. */
final class CriUsersIT {
  private static final String LOOM = "loom";
  private static final int UID = 300_000;
  private static final int GID = 400_000;
  private static final Pattern OVERLAY = Pattern.compile("(?m)^.*/rootfs .* - overlay .*$");
  private static final CriHost HOST = new CriHost(Map.of(
      LOOM, new CriHost.Runtime(Shim.tested().runtime(), Map.of(), "")), "overlayfs");

  @RegisterExtension
  static final Bed BED = new Bed(HOST::start);

  private static Cri cri;

  @BeforeAll
  static void connect() throws IOException {
    assumeTrue(Containerd.version()[0] >= 2, "CRI maps ids of mounts from containerd 2.0 on");
    String overlay = BED.ctr().call("plugins", "ls", "--detailed", "id==overlayfs").ok().text();
    assumeTrue(overlay.contains("remap-ids"), "the kernel, or the file system of " + BED.directory()
        + ", has no overlay whose layers have mapped ids, as containerd finds out");
    // a pod's root is nothing on the host, and must find its way
    Files.setPosixFilePermissions(Scratch.BASE, PosixFilePermissions.fromString("rwx--x--x"));
    cri = CriHost.connect(BED);
    // what the daemon loads only once is loaded now, so that later comparisons are exact
    try (var pod = Pod.ofUsers(BED, cri, LOOM, UID, GID)) {
      cri.exec(pod.started("sleep", "1000"), 0, "true");
    }
  }

  @AfterAll
  static void disconnect() throws IOException {
    if (cri != null) {
      cri.close();
      Files.setPosixFilePermissions(Scratch.BASE, PosixFilePermissions.fromString("rwx------"));
    }
  }

  /** What is seen of a pod, in it and on the host. */
  private static List<String> life(String handler) throws IOException {
    var seen = new ArrayList<String>();
    try (var pod = Pod.ofUsers(BED, cri, handler, UID, GID)) {
      String container = pod.started("sh", "-c", "trap 'exit 7' TERM; id -u; stat -c %u:%g /bin/busybox; "
          + "echo hi > /new; stat -c %u:%g /new; cat /proc/self/uid_map /proc/self/gid_map; "
          + "echo again > /proc/self/fd/1; stat -L -c %u:%g /proc/self/fd/1; echo ready; sleep 1000 & wait");
      Await.until("it has set its trap", () -> CriLog.text(pod.log(container), "stdout").endsWith("ready\n"));
      seen.add(CriLog.text(pod.log(container), "stdout"));
      long pid = pod.pid(container);
      seen.add(Files.getAttribute(Path.of("/proc/" + pid), "unix:uid") + ":"
          + Files.getAttribute(Path.of("/proc/" + pid), "unix:gid"));
      // the containers of a pod share its user namespace
      seen.add("same as the sandbox's: " + namespace(pid).equals(namespace(pod.pid(pod.id()))));
      seen.add("same as ours: " + namespace(pid).equals(namespace(ProcessHandle.current().pid())));
      var probe = cri.exec(container, 10, "sh", "-c", "id -u; cat /new; stat -L -c %u:%g /proc/self/fd/1; exit 4");
      seen.add(probe.getExitCode() + " " + probe.getStdout().toStringUtf8());
      seen.add("mounts: " + OVERLAY.matcher(Files.readString(Path.of("/proc/self/mountinfo"))).results()
          .filter(mount -> mount.group().contains(container)).count());
      pod.stop(container, 10);
      seen.add(cri.status(container).getExitCode() + " " + cri.status(container).getReason());
    }
    return seen;
  }

  /** From containerd 2.0 on. */
  private static boolean goMapsIds() {
    var version = Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of("PATH", Containerd.path())),
        List.of("containerd-shim-runc-v2", "-v")).await(Ctr.LIMIT).ok().text();
    return version.matches("(?s).*Version: +v?[2-9]\\..*");
  }

  private static Path namespace(long pid) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/user"));
  }

  @Test
  void aPodWithAUserNamespaceIsRootInsideAndNothingOutside() throws Exception {
    List<String> ours = life(LOOM);
    assertEquals(UID + ":" + GID, ours.get(1));
    assertEquals("0\n0:0\n0:0\n 0 300000 65536\n 0 400000 65536\nagain\n0:0\nready\n",
        ours.get(0).replaceAll(" +", " "));
    assertEquals(List.of("same as the sandbox's: true", "same as ours: false", "4 0\nhi\n0:0\n", "mounts: 1",
        "7 Error"), ours.subList(2, ours.size()));
    String left = Files.readString(Path.of("/proc/self/mountinfo"));
    assertTrue(!left.contains("idmapped") && !left.contains("loom-layers"), left);
    // the Go shim of this machine may be older than its containerd
    if (goMapsIds()) {
      assertEquals(life(CriHost.GO), ours);
    }
  }
}
