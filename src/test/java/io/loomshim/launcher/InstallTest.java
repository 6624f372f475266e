package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.launcher.Installation.Outcome;
import io.loomshim.linux.Posix;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** install.sh: puts everything in place, keeps settings, and takes away what it brought. */
final class InstallTest {
  @RegisterExtension final Installation shim = new Installation();

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
  void anEarlierBuildKeepsItsFilesAsLongAsADaemonRunsFromThem() throws Exception {
    Path first = shim.prefix.resolve("lib/loomshim/current").toRealPath();
    created("a");
    long daemon = shim.daemon("a");
    Path run = shim.run("a");
    another("more.jar");
    another("still more.jar");
    assertFalse(first.equals(shim.prefix.resolve("lib/loomshim/current").toRealPath()));
    assertEquals(Set.of(first, shim.prefix.resolve("lib/loomshim/current").toRealPath()), builds());
    assertFalse(Installation.ended(daemon));
    Installation.kill(daemon);
    assertEquals(0, shim.install("--clean").status());
    assertEquals(Set.of(shim.prefix.resolve("lib/loomshim/current").toRealPath()), builds());
    assertFalse(Files.exists(run));
  }

  /** A checkout with a build of its own; `mvnw` writes down that it ran. */
  @Test
  void sourcesThatAreNewerThanTheBuildAreBuilt() throws Exception {
    Path checkout = shim.base.resolve("check out");
    Path installer = Files.createDirectories(checkout.resolve("packaging")).resolve("install.sh");
    Files.copy(Installation.INSTALLER, installer);
    Files.createDirectories(checkout.resolve("src/main/launcher"));
    Path source = Files.writeString(checkout.resolve("src/main/launcher/settings.sh"), Files.readString(
        Installation.LAUNCHER.resolve("settings.sh")));
    Files.writeString(checkout.resolve("pom.xml"), "");
    shim.script("check out/mvnw", "echo built >> runs; touch target/loomshim/lib/version");
    Files.createDirectory(checkout.resolve("target"));
    Files.move(shim.base.resolve("dist"), checkout.resolve("target/loomshim"));
    Path version = checkout.resolve("target/loomshim/lib/version");
    Files.setLastModifiedTime(version, FileTime.from(Files.getLastModifiedTime(source).toInstant().plusSeconds(60)));
    var words = List.of("--no-archive", "--prefix", shim.prefix.toString(), "--java", Installation.java().toString());
    var command = new ArrayList<>(List.of(installer.toString()));
    command.addAll(words);
    assertEquals(0, Installation.finish(new ProcessBuilder(command), null).status());
    assertFalse(Files.exists(checkout.resolve("runs")));
    Files.setLastModifiedTime(version, FileTime.from(Files.getLastModifiedTime(source).toInstant().minusSeconds(60)));
    for (int i = 0; i < 2; i++) {
      Outcome outcome = Installation.finish(new ProcessBuilder(command), null);
      assertEquals(0, outcome.status(), outcome.stderr());
      assertEquals("built\n", Files.readString(checkout.resolve("runs")), outcome.out());
    }
  }

  @Test
  void theSameBuildInstalledAgainChangesNothing() throws Exception {
    Path before = shim.prefix.resolve("lib/loomshim/current").toRealPath();
    Object key = Files.readAttributes(before, "unix:ino,ctime").toString();
    assertEquals(0, shim.install("--dist", shim.base.resolve("dist").toString(), "--no-archive").status());
    assertEquals(before, shim.prefix.resolve("lib/loomshim/current").toRealPath());
    assertEquals(key, Files.readAttributes(before, "unix:ino,ctime").toString());
  }

  @Test
  void anUnpackedDistributionRunsFromWhereItIs() throws Exception {
    Path launcher = shim.base.resolve("dist/bin/containerd-shim-loom-v1");
    Files.writeString(shim.base.resolve("dist/lib/launcher.conf"), "installed_java='" + Installation.java()
        + "'\nbuild=here\nrestore_signals=unknown\nversion=9.8.7\nrevision=x\nconfig=$home/loomshim.conf\n");
    Path link = Files.createSymbolicLink(shim.base.resolve("linked"), launcher);
    Outcome outcome = Installation.finish(new ProcessBuilder(link.toString(), "-v"), null);
    assertEquals(0, outcome.status(), outcome.stderr());
    assertTrue(outcome.out().contains("Version:  9.8.7"), outcome.out());
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
    created("a");
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
  void theManPageTheCompletionAndTheUnitComeWithTheProgramAndGoWithIt() throws Exception {
    Path share = shim.prefix.resolve("share");
    Path unit = shim.prefix.resolve("lib/systemd/system/loomshim-warm@.service");
    Path warm = shim.prefix.resolve("lib/loomshim/loomshim-warm");
    assertTrue(Files.exists(share.resolve("man/man8/containerd-shim-loom-v1.8")));
    assertTrue(Files.exists(share.resolve("bash-completion/completions/containerd-shim-loom-v1")));
    assertTrue(Files.isExecutable(warm));
    assertTrue(Files.readString(unit).contains("\nExecStart=" + warm + " start %i\n"), Files.readString(unit));
    assertEquals(0, shim.install("--uninstall").status());
    for (Path gone : List.of(share, unit.getParent().getParent(), warm)) {
      assertFalse(Files.exists(gone), gone.toString());
    }
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
    Posix.fifo(fifo);
    connect("a");
    assertEquals(String.valueOf(daemon), Files.readString(fifo).strip());
    Outcome outcome = shim.install("--uninstall");
    assertEquals(1, outcome.status());
    assertTrue(outcome.stderr().contains("still serve"), outcome.stderr());
    assertTrue(Files.exists(shim.shim));
    assertEquals(0, shim.install("--uninstall", "--force").status());
    assertTrue(Installation.ended(daemon));
  }

  @Test
  void uninstallingIsRefusedWhileAContainerIsOnItsWay() throws Exception {
    shim.start("a");
    Outcome outcome = shim.install("--uninstall");
    assertEquals(1, outcome.status());
    assertTrue(outcome.stderr().contains("still serve 1 "), outcome.stderr());
    assertFalse(Installation.ended(shim.daemon("a")));
  }

  @Test
  void uninstallingWithDrainWaitsForTheLastContainer() throws Exception {
    shim.start("a");
    Path lease = shim.run("a").resolve("leases/a");
    String installer = Installation.INSTALLER.toString();
    var words = List.of(installer, "--uninstall", "--drain", "--prefix", shim.prefix.toString());
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    try (var lines = process.inputReader()) {
      assertEquals("waiting for 1 containers or processes of containers to end", lines.readLine());
      assertTrue(Files.exists(shim.shim));
      Files.delete(lease);
      assertEquals(0, process.waitFor());
    }
    assertFalse(Files.exists(shim.shim));
  }

  /** Starts a container and takes its lease away, as Create does. */
  private void created(String id) throws Exception {
    assertEquals(0, shim.start(id).status());
    Files.delete(shim.run(id).resolve("leases").resolve(id));
  }

  /** Installs another build. */
  private void another(String jar) throws Exception {
    Files.writeString(shim.base.resolve("dist/lib").resolve(jar), jar);
    assertEquals(0, shim.install("--dist", shim.base.resolve("dist").toString(), "--no-archive").status());
  }

  /** The builds whose files are there. */
  private Set<Path> builds() throws IOException {
    var found = new HashSet<Path>();
    try (var entries = Files.newDirectoryStream(shim.prefix.resolve("lib/loomshim"))) {
      for (Path entry : entries) {
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          found.add(entry.toRealPath());
        }
      }
    }
    return found;
  }

  /** A connection makes the stand-in start a child process. */
  private void connect(String id) throws Exception {
    String address = Files.readString(shim.bundle(id).resolve("address")).substring("unix://".length());
    try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(address))) {
      assertTrue(channel.isConnected());
    }
  }
}
