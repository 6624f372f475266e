package io.loomshim.integration.files;

import static io.loomshim.integration.harness.ShimClient.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.integration.harness.Bed;
import io.loomshim.integration.harness.Bundle;
import io.loomshim.integration.harness.Ctr;
import io.loomshim.integration.harness.Differential;
import io.loomshim.integration.harness.Exec;
import io.loomshim.integration.harness.Mounts;
import io.loomshim.integration.harness.Names;
import io.loomshim.integration.harness.OciRuntime;
import io.loomshim.integration.harness.Scratch;
import io.loomshim.integration.harness.Shim;
import io.loomshim.integration.harness.Shims;
import io.loomshim.proto.runc.Options;
import io.loomshim.proto.types.Mount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers with a user namespace: on layers whose ids are mapped, and on files that belong to them already. */
final class UserNamespaceIT {
  @RegisterExtension
  static final Bed BED = new Bed();

  private static final int UID = 100_000;
  private static final int GID = 200_000;
  private static final List<String> MAPPED = List.of("uidmap=0:100000:65536", "gidmap=0:200000:65536");

  /** A file system that can map ids, whatever that of this machine can. */
  private static Path disk;

  /** Where that has its files, if not in memory. */
  private static Path elsewhere;

  @BeforeAll
  static void prepare() throws IOException {
    String release = Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
    String[] numbers = release.split("[.-]");
    int version = Integer.parseInt(numbers[0]) * 1000 + Integer.parseInt(numbers[1]);
    Path persistent = Path.of("/var/tmp");
    String type = Files.getFileStore(persistent).type();
    assumeTrue(version >= 6003 || version >= 5019 && type.equals("ext4"),
        "tmpfs maps ids from Linux 6.3 on, ext4 below an overlay from 5.19 on; this is " + release + " with " + type
            + " at " + persistent);
    // the container's root is nothing on the host, and must find its way
    Files.setPosixFilePermissions(Scratch.BASE, PosixFilePermissions.fromString("rwx--x--x"));
    disk = Files.createDirectory(BED.directory().resolve("disk"));
    if (version >= 6003) {
      call("mount", "-t", "tmpfs", "-o", "mode=755,size=64m", "disk", disk.toString());
    } else {
      elsewhere = Files.createTempDirectory(persistent, "loomshim");
      call("mount", "--bind", elsewhere.toString(), disk.toString());
    }
    call("cp", "-a", BED.rootfs().toString(), disk.resolve("low").toString());
    call("chown", "5:6", disk.resolve("low/mnt").toString());
    call("cp", "-a", BED.rootfs().toString(), disk.resolve("owned").toString());
    call("chown", "-R", "-h", UID + ":" + GID, disk.resolve("owned").toString());
    Files.createDirectories(disk.resolve("high/etc/high"));
  }

  @AfterAll
  static void tidy() throws IOException {
    if (disk != null) {
      call("umount", disk.toString());
      if (elsewhere != null) {
        call("rm", "-r", elsewhere.toString());
      }
      Files.setPosixFilePermissions(Scratch.BASE, PosixFilePermissions.fromString("rwx------"));
    }
  }

  private static void call(String... command) {
    Exec.start(BED.directory(), new Exec.Setting(BED.directory(), Map.of()), List.of(command)).await(Ctr.LIMIT).ok();
  }

  private static Mount mount(String type, String source, List<String> options) {
    return Mount.newBuilder().setType(type).setSource(source).addAllOptions(options).build();
  }

  private static Mount bind(String directory, String... options) {
    var all = new ArrayList<>(List.of(options));
    all.add("rbind");
    return mount("bind", disk.resolve(directory).toString(), all);
  }

  /** Two layers below, and one of the container's own in {@code name}. */
  private static Mount overlay(String name) throws IOException {
    Path upper = Files.createDirectories(disk.resolve(name).resolve("fs"));
    call("chown", UID + ":" + GID, upper.toString());
    Path work = Files.createDirectories(disk.resolve(name).resolve("work"));
    var options = new ArrayList<>(MAPPED);
    options.addAll(List.of("index=off", "workdir=" + work, "upperdir=" + upper,
        "lowerdir=" + disk.resolve("high") + ":" + disk.resolve("low")));
    return mount("overlay", "overlay", options);
  }

  private static Bundle bundle(String... command) {
    return BED.shims().bundleOn("rootfs", Names.id("users"), command).withUserNamespace(UID, GID);
  }

  /** Runs {@code script} on {@code root}; its output, its exit status and what is still mounted afterwards. */
  private static String run(Shim shim, Mount root, String script) {
    var bundle = bundle("sh", "-c", script);
    var out = Bundle.fifo(bundle.path().resolve("out"));
    var reader = Exec.start(BED.directory(), new Exec.Setting(bundle.path(), Map.of()),
        List.of("cat", out.toString()));
    var owner = Options.newBuilder().setIoUid(UID).setIoGid(GID);
    OciRuntime.options().ifPresent(chosen -> owner.setBinaryName(OciRuntime.program()));
    var options = Optional.of(Shims.any("containerd.runc.v1.Options", owner.build()));
    try (var task = BED.shims().start(shim, bundle, options)) {
      task.create(request -> request.addRootfs(root).setStdout(out.toString()).setStderr(out.toString()));
      task.start();
      int status = task.await("").getExitStatus();
      task.delete("");
      return reader.await(Ctr.LIMIT).text() + status + Mounts.below(bundle.path().toString());
    } finally {
      reader.kill();
    }
  }

  /** The error of a Create on {@code root}, and what is still mounted afterwards. */
  private static String refused(Mount root, String... command) {
    var bundle = bundle(command);
    try (var task = BED.shims().start(Shim.tested(), bundle)) {
      String error = failure(() -> task.create(request -> request.addRootfs(root)));
      return Differential.plain(error, task.id()) + Mounts.below(bundle.path().toString());
    }
  }

  private static String owner(String file) throws IOException {
    Path path = disk.resolve(file);
    return Files.getAttribute(path, "unix:uid") + ":" + Files.getAttribute(path, "unix:gid");
  }

  @Test
  void theLayersBelongToTheContainerAndWhatItWritesDoesTooOnTheHost() throws Exception {
    Shim.assumeOurs("the Go shims of containerd 1 know no mapped ids");
    String script = "stat -c %u:%g /bin/busybox /mnt /etc/high; id -u; echo hi > /etc/high/new; "
        + "stat -c %u:%g /etc/high/new; cat /proc/self/uid_map";
    String seen = run(Shim.tested(), overlay("first"), script).replaceAll(" +", " ");
    assertEquals("0:0\n5:6\n0:0\n0\n0:0\n 0 100000 65536\n0[]", seen);
    assertEquals(UID + ":" + GID, owner("first/fs/etc/high/new"));
    assertEquals("5:6", owner("low/mnt"));
  }

  @Test
  void aBindMountBelongsToTheContainerAndTheDiskIsAsItWas() throws Exception {
    Shim.assumeOurs("the Go shims of containerd 1 know no mapped ids");
    String script = "stat -c %u:%g /bin /mnt; echo hi > /tmp/new && stat -c %u:%g /tmp/new";
    assertEquals("0:0\n5:6\n0:0\n0[]", run(Shim.tested(), bind("low", MAPPED.get(0), MAPPED.get(1)), script));
    assertEquals("0:0", owner("low/tmp/new"));
    String seen = run(Shim.tested(), bind("low", MAPPED.get(0), MAPPED.get(1), "ro"), script);
    assertTrue(seen.startsWith("0:0\n5:6\nsh: ") && seen.endsWith("Read-only file system\n1[]"), seen);
  }

  @Test
  void aContainerOnFilesOfItsOwnLivesAsWithTheShimOfGo() {
    // its streams are reopened, which needs their owner to be one of its own
    String script = "cat /proc/self/uid_map; stat -c %u:%g /bin; echo again > /proc/self/fd/1; "
        + "stat -L -c %u:%g /proc/self/fd/1; exit 3";
    String seen = Differential.same(shim -> run(shim, bind("owned"), script));
    assertEquals(" 0 100000 65536\n0:0\nagain\n0:0\n3[]", seen.replaceAll(" +", " "));
  }

  @Test
  void execsAreInItsUserNamespaceAndAllOfItEnds() {
    String seen = Differential.same(shim -> {
      var bundle = bundle("sleep", "1000");
      try (var task = BED.shims().start(shim, bundle)) {
        task.create(request -> request.addRootfs(bind("owned")));
        task.start();
        int pid = task.state("").getPid();
        // the first one sees that it is root, and the second one that it is not
        task.exec("probe", "sh", "-c", "[ $(id -u) = 0 ] && grep -q ' 100000 ' /proc/self/uid_map && exit 7");
        task.start("probe");
        int probe = task.await("probe").getExitStatus();
        task.delete("probe");
        String outside = Files.getAttribute(Path.of("/proc/" + pid), "unix:uid").toString();
        task.kill(9, "");
        int status = task.await("").getExitStatus();
        task.delete("");
        return outside + " " + probe + " " + status + Mounts.below(bundle.path().toString());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
    assertEquals(UID + " 7 137[]", seen);
  }

  @Test
  void whatFailsSaysWhyAndLeavesNothing() throws Exception {
    Shim.assumeOurs("the Go shims of containerd 1 know no mapped ids");
    String seen = refused(mount("bind", "/proc", List.of("rbind", MAPPED.get(0), MAPPED.get(1))), "true");
    assertTrue(seen.contains("}: ids of /proc cannot be mapped: Linux "), seen);
    assertTrue(seen.endsWith(" cannot do that on proc[]"), seen);
    seen = refused(bind("low", MAPPED.get(0)), "true");
    assertTrue(seen.endsWith("the mount has uidmap=0:100000:65536 and no gidmap=: both are needed[]"), seen);
    // the mounts are made, and then the runtime does not find the program
    seen = refused(overlay("second"), "no-such-program");
    assertTrue(seen.contains("no-such-program") && seen.endsWith("[]"), seen);
  }
}
