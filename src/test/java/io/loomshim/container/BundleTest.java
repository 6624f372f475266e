package io.loomshim.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.linux.Errno;
import io.loomshim.linux.ErrnoException;
import io.loomshim.proto.runc.Options;
import io.loomshim.runc.PidFile;
import io.loomshim.runc.RuncSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleTest {
  @TempDir Path temp;
  private Bundle bundle;

  @BeforeEach
  void bundle() {
    bundle = new Bundle(temp);
  }

  private boolean killAll(String config) throws IOException {
    Files.writeString(temp.resolve("config.json"), config);
    return bundle.killAllOnExit();
  }

  private static String namespaces(String list) {
    return "{\"linux\":{\"namespaces\":[" + list + "]}}";
  }

  @Test
  void onlyAPidNamespaceOfItsOwnSparesTheKillOfAll() throws Exception {
    assertFalse(killAll(namespaces("{\"type\":\"pid\"}")));
    assertFalse(killAll(namespaces("{\"type\":\"pid\",\"path\":\"\"}")));
    assertFalse(killAll(namespaces("{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"pid\"}")));
  }

  @Test
  void aJoinedPidNamespaceIsNotItsOwn() throws Exception {
    assertTrue(killAll(namespaces("{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}")));
    assertTrue(killAll(namespaces("{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}")));
  }

  @Test
  void withoutAPidNamespaceAllAreKilled() throws Exception {
    assertTrue(killAll(namespaces("")));
    assertTrue(killAll(namespaces("{\"type\":\"mount\"},{\"type\":\"network\"}")));
    assertTrue(killAll(namespaces("{\"path\":\"\"}")));
    assertTrue(killAll("{\"linux\":{}}"));
    assertTrue(killAll("{\"linux\":{\"namespaces\":null}}"));
    assertTrue(killAll("{\"linux\":null}"));
    assertTrue(killAll("{\"process\":{\"args\":[\"true\"]}}"));
  }

  @Test
  void anUnreadableConfigurationMeansAllAreKilled() throws Exception {
    assertTrue(bundle.killAllOnExit(), "no file");
    assertTrue(killAll(""));
    assertTrue(killAll("{\"linux\":{\"namespaces\":[{\"type\":\"pid\"}"));
    assertTrue(killAll("[{\"type\":\"pid\"}]"));
    assertTrue(killAll("{\"linux\":[{\"type\":\"pid\"}]}"));
    assertTrue(killAll("{\"linux\":{\"namespaces\":{\"type\":\"pid\"}}}"));
    assertTrue(killAll(namespaces("\"pid\"")));
  }

  @Test
  void aPidFileHoldsADecimalNumberPerhapsWithALineFeed() throws Exception {
    PidFile file = bundle.initPidFile();
    Files.writeString(file.path(), "4711");
    assertEquals(4711, file.read());
    Files.writeString(file.path(), "4711\n");
    assertEquals(4711, file.read());
  }

  @Test
  void aPidFileWithoutAPidIsAnErrorThatShowsItsText() throws Exception {
    PidFile file = bundle.initPidFile();
    for (String text : new String[] {"", "x", "12 34", "99999999999", "1.5", "0", "-1"}) {
      Files.writeString(file.path(), text);
      var e = assertThrows(IOException.class, file::read, text);
      assertEquals("pid file " + file + " has no pid but \"" + text + "\"", e.getMessage());
    }
    file.remove();
    assertEquals(Errno.ENOENT, assertThrows(ErrnoException.class, file::read).errno());
  }

  @Test
  void whatDeleteNeedsToKnowIsRecordedForRootAlone() throws Exception {
    Options options = Options.newBuilder().setBinaryName("/opt/run c").setRoot("/r").setSystemdCgroup(true).build();
    var runc = new RuncSettings("/opt/run c", Path.of("/r/ns"), bundle.runcLog(), Optional.empty(), true);
    bundle.recordRuntime(options, runc, true);
    assertEquals("/opt/run c", Files.readString(temp.resolve("runtime")));
    assertEquals(
        "binary=/opt/run c\nroot=/r/ns\nmounts=1\nsystemd_cgroup=1\n", Files.readString(temp.resolve("loom.runc")));
    assertTrue(Files.readString(temp.resolve("options.json")).contains("\"/opt/run c\""));
    for (String name : new String[] {"runtime", "options.json", "loom.runc"}) {
      assertEquals(
          "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(temp.resolve(name))), name);
    }
  }

  @Test
  void aSecondRecordReplacesTheFirst() throws Exception {
    var runc = new RuncSettings("", Path.of("/run/containerd/runc/ns"), bundle.runcLog(), Optional.empty(), false);
    Options longer = Options.newBuilder().setBinaryName("/a/long/name/of/a/runtime").build();
    bundle.recordRuntime(longer, runc, true);
    bundle.recordRuntime(Options.getDefaultInstance(), runc, false);
    assertEquals("", Files.readString(temp.resolve("runtime")));
    assertEquals(
        "binary=" + runc.binary() + "\nroot=/run/containerd/runc/ns\nmounts=0\nsystemd_cgroup=0\n",
        Files.readString(temp.resolve("loom.runc")));
  }

  @Test
  void aMissingBundleIsNotMade() {
    var missing = new Bundle(temp.resolve("missing"));
    var runc = new RuncSettings("", Path.of("/r"), missing.runcLog(), Optional.empty(), false);
    assertThrows(
        NoSuchFileException.class, () -> missing.recordRuntime(Options.getDefaultInstance(), runc, false));
    assertFalse(Files.exists(missing.directory()));
  }
}
