package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomshim.proto.runc.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DefaultRuntimeTest {
  @TempDir
  private Path directory;

  private String path(String... programs) throws IOException {
    Path bin = Files.createTempDirectory(directory, "bin");
    for (String program : programs) {
      Files.createFile(bin.resolve(program), PosixFilePermissions.asFileAttribute(
          PosixFilePermissions.fromString("rwxr-xr-x")));
    }
    return bin.toString();
  }

  private static String runtime(String path) {
    return DefaultRuntime.of(Map.of("PATH", path));
  }

  @Test
  void crunCountsOnlyWhereThereIsNoRunc() throws Exception {
    assertEquals("runc", runtime(path("runc", "crun")));
    assertEquals("runc", runtime(path("crun") + ":" + path("runc")));
    assertEquals("crun", runtime(path("ls") + ":" + path("crun")));
    assertEquals("runc", runtime(path()));
    assertEquals("runc", DefaultRuntime.of(Map.of()));
  }

  @Test
  void whatOptionsNameComesFirst() {
    Options named = Options.newBuilder().setBinaryName("/opt/kata").build();
    assertEquals("/opt/kata", RuncSettings.of(named, "crun", "ns", Path.of("/log")).binary());
    assertEquals("crun", RuncSettings.of(Options.getDefaultInstance(), "crun", "ns", Path.of("/log")).binary());
  }
}
