package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.launcher.Installation.Outcome;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** install.sh: puts everything in place, keeps settings, and takes away what it brought. */
final class InstallTest {
  @TempDir Path directory;
  private Installation shim;

  @BeforeEach
  void install() throws Exception {
    shim = new Installation(directory);
  }

  @AfterEach
  void end() throws Exception {
    shim.close();
  }

  @Test
  void aSecondInstallationKeepsTheSettings() throws Exception {
    Path settings = shim.prefix.resolve("etc/loomshim.conf");
    String before = Files.readString(settings);
    Outcome outcome = shim.install("--dist", shim.base.resolve("dist").toString(), "--no-archive");
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals(before, Files.readString(settings));
    assertTrue(outcome.out().contains("runtime_type = \"io.containerd.loom.v1\""));
  }

  @Test
  void anotherBuildGetsAnotherDaemon() throws Exception {
    shim.start("a");
    Files.writeString(shim.base.resolve("dist/lib/more.jar"), "x");
    shim.install("--dist", shim.base.resolve("dist").toString(), "--no-archive");
    shim.start("b");
    assertFalse(shim.run("a").equals(shim.run("b")));
  }

  @Test
  void anArchiveThatCannotBeMadeIsANoteAndNoFailure() throws Exception {
    Outcome outcome = shim.install("--dist", shim.base.resolve("dist").toString());
    assertEquals(0, outcome.status(), outcome.stderr());
    assertTrue(outcome.out().contains("note: no start-up archive was made"), outcome.out());
    assertEquals(0, shim.start("a").status());
  }

  @Test
  void uninstallingEndsIdleDaemonsAndLeavesOnlyTheSettings() throws Exception {
    shim.start("a");
    long daemon = shim.daemon("a");
    Outcome outcome = shim.install("--uninstall");
    assertEquals(0, outcome.status(), outcome.stderr());
    assertTrue(Installation.ended(daemon));
    assertFalse(Files.exists(shim.shim));
    assertFalse(Files.exists(shim.prefix.resolve("lib/loomshim")));
    assertFalse(Files.exists(shim.runDir));
    assertTrue(Files.exists(shim.prefix.resolve("etc/loomshim.conf")));
    assertEquals(1, shim.install("--uninstall", "--purge").status());
  }

  @Test
  void uninstallingWithPurgeTakesTheSettingsToo() throws Exception {
    assertEquals(0, shim.install("--uninstall", "--purge").status());
    assertFalse(Files.exists(shim.prefix.resolve("etc/loomshim.conf")));
  }

  @Test
  void uninstallingIsRefusedWhileADaemonHasContainers() throws Exception {
    shim.start("a");
    long daemon = shim.daemon("a");
    Path run = shim.run("a");
    Path fifo = run.resolve("child");
    assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
    connect("a");
    assertEquals(String.valueOf(daemon), Files.readString(fifo).strip());
    Outcome outcome = shim.install("--uninstall");
    assertEquals(1, outcome.status());
    assertTrue(outcome.stderr().contains("still serve"), outcome.stderr());
    assertTrue(Files.exists(shim.shim));
    assertEquals(0, shim.install("--uninstall", "--force").status());
    assertTrue(Installation.ended(daemon));
  }

  /** A connection makes the stand-in start a child process. */
  private void connect(String id) throws Exception {
    String address = Files.readString(shim.bundle(id).resolve("address")).substring("unix://".length());
    try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(address))) {
      assertTrue(channel.isConnected());
    }
  }
}
