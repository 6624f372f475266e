package io.loomshim.integration.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A root file system made of a static busybox and its links. Read by all containers, written by none. */
public final class Rootfs {
  public static final Path BUSYBOX = Path.of(System.getenv().getOrDefault("LOOMSHIM_BUSYBOX", "/usr/bin/busybox"));

  private Rootfs() {}

  /** Makes {@code directory} a root file system and returns it. */
  public static Path create(Path directory) throws IOException {
    Path bin = Files.createDirectories(directory.resolve("bin"));
    // made in advance, because runc would make mount points that are missing
    for (String name : List.of("dev", "etc", "mnt", "proc", "run", "sys", "tmp")) {
      Files.createDirectories(directory.resolve(name));
    }
    Path busybox = Files.copy(BUSYBOX, bin.resolve("busybox"));
    Files.setPosixFilePermissions(busybox, PosixFilePermissions.fromString("rwxr-xr-x"));
    var list = Exec.start(directory.getParent(), new Exec.Setting(directory, Map.of()),
        List.of(busybox.toString(), "--list")).await(Duration.ofSeconds(10)).ok();
    for (String applet : list.text().lines().toList()) {
      if (!applet.equals("busybox")) {
        Files.createSymbolicLink(bin.resolve(applet), Path.of("busybox"));
      }
    }
    return directory;
  }
}
