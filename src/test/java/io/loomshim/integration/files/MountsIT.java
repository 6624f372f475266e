package io.loomshim.integration.files;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Containerd;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Install;
import io.loomshim.integration.harness.Mounts;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.Shim;
import io.loomshim.proto.types.Mount;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a Create may mount to make a root file system. */
final class MountsIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static Mount mount(String type, String source, List<String> options) {
    return Mount.newBuilder().setType(type).setSource(source).addAllOptions(options).build();
  }

  /** Runs {@code script} on {@code mounts}; its output, its exit status and what is still mounted afterwards. */
  private static String run(Shim shim, List<Mount> mounts, String script) {
    var bundle = BED.shims().bundleOn("rootfs", Names.id("mounts"), "sh", "-c", script);
    var out = Bundle.fifo(bundle.path().resolve("out"));
    var err = Bundle.fifo(bundle.path().resolve("err"));
    var setting = new Exec.Setting(bundle.path(), Map.of());
    var outReader = Exec.start(BED.directory(), setting, List.of("cat", out.toString()));
    var errReader = Exec.start(BED.directory(), setting, List.of("cat", err.toString()));
    try (var task = BED.shims().start(shim, bundle)) {
      task.create(request -> request.addAllRootfs(mounts).setStdout(out.toString()).setStderr(err.toString()));
      task.start();
      int status = task.await("").getExitStatus();
      task.delete("");
      var left = Mounts.below(bundle.path().toString());
      return outReader.await(Ctr.LIMIT).text() + errReader.await(Ctr.LIMIT).text() + status + left;
    } finally {
      outReader.kill();
      errReader.kill();
    }
  }

  /** The error of a Create with {@code mounts}, and what is still mounted afterwards. */
  private static String refused(Shim shim, List<Mount> mounts) {
    var bundle = BED.shims().bundleOn("rootfs", Names.id("refused"), "true");
    try (var task = BED.shims().start(shim, bundle)) {
      String error = failure(() -> task.create(request -> request.addAllRootfs(mounts)));
      return Differential.plain(error, task.id()) + Mounts.below(bundle.path().toString());
    }
  }

  private static Mount rootfs() {
    return mount("bind", BED.rootfs().toString(), List.of("rbind", "ro"));
  }

  @Test
  void anOverlayMayHaveMoreLayersThanAPageHolds() throws IOException {
    Path layers = Files.createDirectories(BED.directory().resolve("layers-with-a-long-name-".repeat(5)));
    var lower = new ArrayList<String>();
    for (int i = 0; i < 70; i++) {
      Path layer = Files.createDirectories(layers.resolve(i + "/fs/tmp"));
      Files.writeString(layer.resolve("layer" + i), "");
      lower.add(layer.getParent().toString());
    }
    Path base = layers.resolve("base");
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()),
        List.of("cp", "-a", BED.rootfs().toString(), base.toString())).await(Ctr.LIMIT).ok();
    lower.add(base.toString());
    String lowerdir = "lowerdir=" + String.join(":", lower);
    assertTrue(lowerdir.length() > 2 * 4096);
    String seen = Differential.same(shim ->
        run(shim, List.of(mount("overlay", "overlay", List.of("index=off", lowerdir))), "ls /tmp | grep -c layer"));
    assertEquals("70\n0[]", seen);
  }

  @Test
  void aFileSystemInAFileIsMountedThroughALoopDevice() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/loop-control")), "no loop devices here");
    assumeTrue(Files.isExecutable(Path.of("/sbin/mkfs.ext4")), "no mkfs.ext4 here");
    Path image = BED.directory().resolve("image");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(32 << 20);
    }
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()),
        List.of("/sbin/mkfs.ext4", "-q", "-d", BED.rootfs().toString(), image.toString())).await(Ctr.LIMIT).ok();
    String seen = Differential.same(shim -> run(shim, List.of(mount("ext4", image.toString(), List.of("loop", "ro"))),
        "grep -c 'loop[0-9]* / ext4 ro' /proc/mounts"));
    assertEquals("1\n0[]", seen);
  }

  @Test
  void aTargetIsInsideTheRootWhateverLinksLeadToIt() throws IOException {
    Shim.assumeOurs("containerd 1.6 knows no targets");
    Path lower = Files.createDirectories(BED.directory().resolve("hostile"));
    Path outside = Files.createDirectories(BED.directory().resolve("outside"));
    Files.createDirectories(lower.resolve("etc/real"));
    Files.createSymbolicLink(lower.resolve("etc/climb"), Path.of("../../../../../etc/real"));
    Files.createDirectories(lower.resolve(outside.toString().substring(1)));
    Files.createSymbolicLink(lower.resolve("etc/absolute"), outside);
    var overlay = mount("overlay", "overlay", List.of("lowerdir=" + lower + ":" + BED.rootfs()));
    var mounts = new ArrayList<>(List.of(overlay));
    for (String target : List.of("/etc/climb", "etc/absolute/", "../../../tmp")) {
      mounts.add(mount("tmpfs", "tmpfs", List.of("size=64k")).toBuilder().setTarget(target).build());
    }
    String script = "for d in /etc/real /tmp " + outside + "; do grep -c \" $d tmpfs\" /proc/mounts; done";
    assertEquals("1\n1\n1\n0[]", run(Shim.tested(), mounts, script));
    assertEquals(List.of(), Mounts.below(outside.toString()));
  }

  @Test
  void aFileSystemThatIsAProgramIsMountedByItsHelper() throws IOException {
    Shim.assumeOurs("the helper stands where only our shim is installed");
    Path helper = Install.get().bin().resolve("mount.fuse3");
    // mounts what it is told by other means, if it is told so in the right words
    Files.writeString(helper, "#!/bin/sh\n[ \"$*\" = \"$1 $2 -o allow_other -o ro -t mine\" ] || exit 9\n"
        + "case $1 in bad) echo \"no \\\"such\\\" thing\"; exit 7;; esac\nmount --bind \"$1\" \"$2\"\n");
    Files.setPosixFilePermissions(helper, PosixFilePermissions.fromString("rwxr-xr-x"));
    try {
      var options = List.of("allow_other", "ro");
      // not beside the original, whose reaper at times takes the status of the helper ("ECHILD (retired 10 times)")
      assertEquals("hi\n4[]", run(Shim.tested(),
          List.of(mount("fuse3.mine", BED.rootfs().toString(), options)), "echo hi; exit 4"));
      String error = refused(Shim.tested(), List.of(mount("fuse3.mine", "bad", options)));
      assertTrue(error.contains("failed: \"no \\\"such\\\" thing\\n\""), error);
    } finally {
      Files.delete(helper);
    }
  }

  @Test
  void aHelperThatIsMissingIsNamed() {
    assumeTrue(!onPath("mount.fuse"), "there is a mount.fuse here");
    String seen = refused(Shim.tested(), List.of(rootfs(), mount("fuse.none", "source", List.of("a", "b"))));
    String words = "mount helper [mount.fuse [source BASE/direct/ID/rootfs -o a -o b -t none]] failed: \"\": ";
    assertTrue(seen.contains(words), seen);
    assertTrue(seen.endsWith("[]"), seen);
  }

  @Test
  void aRealFuseFileSystemEndsWithTheContainer() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")) && onPath("mount.fuse3") && onPath("fuse-overlayfs"),
        "no fuse3 or fuse-overlayfs here");
    Path layer = Files.createDirectories(BED.directory().resolve("fuse-layer/tmp"));
    Files.writeString(layer.resolve("file"), "from the layer\n");
    var options = List.of("lowerdir=" + layer.getParent() + ":" + BED.rootfs());
    String seen = Differential.same(shim -> run(shim, List.of(mount("fuse3.fuse-overlayfs", "overlay", options)),
        "cat /tmp/file; grep -c ' / fuse.fuse-overlayfs ' /proc/mounts"));
    assertEquals("from the layer\n1\n0[]", seen);
  }

  private static boolean onPath(String program) {
    return List.of(Containerd.path().split(":")).stream().anyMatch(d -> Files.isExecutable(Path.of(d, program)));
  }

  @Test
  void aMountThatFailsSaysWhyAndLeavesNothingOfThoseBeforeIt() {
    var wrong = List.of(
        mount("bind", "/no/such/source", List.of("rbind")),
        mount("no-such-type", "x", List.of()),
        mount("tmpfs", "tmpfs", List.of("size=no-number")),
        mount("tmpfs", "tmpfs", List.of("x".repeat(5000))));
    for (Mount last : wrong) {
      String seen = Differential.same(shim -> refused(shim, List.of(rootfs(), last)));
      assertTrue(seen.startsWith("2 failed to mount rootfs component ") && seen.endsWith("[]"), seen);
    }
  }

  @Test
  void optionsThatAreMeantForContainerdDoNotReachTheFileSystem() {
    Shim.assumeOurs("containerd 1.6 hands them on");
    var options = List.of("ro", "size=1m", "X-containerd.mkdir.path=/x");
    String seen = run(Shim.tested(), List.of(mount("tmpfs", "tmpfs", options), rootfs()), "echo hi");
    assertEquals("hi\n0[]", seen);
  }

  @Test
  void aBundleThatIsReachedThroughALinkIsUnmountedToo() {
    Differential.same(shim -> {
      var bundle = BED.shims().bundleOn("rootfs", Names.id("linked"), "true");
      Path link = BED.directory().resolve("link-" + bundle.id());
      try (var task = BED.shims().start(shim, bundle)) {
        Files.createSymbolicLink(link, bundle.path().getParent());
        task.create(request -> request.addRootfs(rootfs()).setBundle(link.resolve(bundle.id()).toString()));
        task.start();
        int status = task.await("").getExitStatus();
        task.delete("");
        return status + Mounts.below(bundle.path().toString()).toString();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        deleteLink(link);
      }
    });
  }

  private static void deleteLink(Path link) {
    try {
      Files.deleteIfExists(link);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
