package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.loomshim.launcher.Installation.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is said when something is missing or wrong: which file, which setting, which value, and what to do. */
final class MessagesTest {
  private static final String PREFIX = "io.containerd.loom.v1: ";

  @RegisterExtension final Installation shim = new Installation();

  private Path file() {
    return shim.prefix.resolve("etc/loomshim.conf");
  }

  private List<String> mistakes(String id) throws Exception {
    var found = new ArrayList<String>();
    List<String> arguments = Files.readAllLines(shim.run(id).resolve("arguments"));
    for (int i = 0; i + 1 < arguments.size(); i++) {
      if (arguments.get(i).equals("-mistake")) {
        found.add(arguments.get(i + 1));
      }
    }
    return found;
  }

  /** Runs the launcher with {@code before} done in a mount namespace of its own. */
  private Outcome apart(String before, String id, String... words) throws Exception {
    return apart(before, shim.bundle(id), shim.shim, words);
  }

  private static Outcome apart(String before, Path directory, Path program, String... words) throws Exception {
    assumeTrue(new ProcessBuilder("unshare", "-m", "true").start().waitFor() == 0, "needs the right to mount");
    var command = new ArrayList<>(List.of("unshare", "-m", "sh", "-ec", before + "\nexec \"$@\"", "sh",
        program.toString()));
    command.addAll(List.of(words));
    var builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().remove("JAVA_HOME");
    builder.environment().put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    return Installation.finish(builder, null);
  }

  private Outcome startApart(String before, String id) throws Exception {
    return apart(before, id, Installation.flags(id, "start").toArray(String[]::new));
  }

  @Test
  void aJavaThatIsTooOldIsNotTaken() throws Exception {
    Path old = shim.script("old/bin/java", "exit 1");
    Files.writeString(shim.base.resolve("old/release"), "JAVA_VERSION=\"17.0.9\"\n");
    shim.set("java", old.toString());
    assertEquals(0, shim.start("a").status());
    assertEquals(List.of(file() + ":2: java=" + old
        + " is of Java 17, and Java 21 or newer is needed; taken instead: what was found at installation"),
            mistakes("a"));
  }

  @Test
  void aProgramThatIsNoJavaIsNotTaken() throws Exception {
    shim.set("java", "/bin/true");
    assertEquals(0, shim.start("a").status());
    assertTrue(mistakes("a").getFirst().contains(":2: java=/bin/true is not the java of a JDK"),
        mistakes("a")::toString);
  }

  @Test
  void optionsThatTheJvmRefusesAreLeftOut() throws Exception {
    shim.set("java_options", "-Xmx5q");
    assertEquals(0, shim.start("a").status());
    assertEquals(List.of(file() + ":2: java_options=-Xmx5q was left out, because the daemon died while starting: "
        + "Invalid maximum heap size: -Xmx5q"), mistakes("a"));
  }

  @Test
  void aJavaThatDiesIsLeftOut() throws Exception {
    Path java = shim.script("own jdk/bin/java", "exit 4");
    Files.writeString(shim.base.resolve("own jdk/release"), "JAVA_VERSION=\"25\"\n");
    shim.set("java", java.toString());
    assertEquals(0, shim.start("a").status());
    assertEquals(List.of(file() + ":2: java=" + java + " was not taken, because the daemon died while starting: "
        + "it said nothing; taken instead: " + Installation.java()), mistakes("a"));
  }

  @Test
  void whereThereIsNoJdkAllPlacesAreNamed() throws Exception {
    shim.installed("installed_java", "/opt/gone/bin/java");
    shim.set("java", "/no/where/bin/java");
    String none = "mount -t tmpfs none /usr/lib/jvm";
    String expected = PREFIX + "no JDK 21 or newer found: java=/no/where/bin/java does not exist; the one of the "
        + "installation, /opt/gone/bin/java, is gone; there is none in JAVA_HOME, /usr/lib/jvm and PATH. Install one "
        + "(Debian 13: openjdk-21-jre-headless), or the package of loomshim, which has its own, or set "
        + "java=/DIR/bin/java in " + file() + "\n";
    Outcome start = startApart(none, "a");
    assertEquals(1, start.status(), start.out());
    assertEquals(expected, start.stderr());
    Outcome inspect = apart(none, "a", "inspect");
    assertEquals(1, inspect.status());
    assertTrue(inspect.stderr().endsWith(expected), inspect.stderr());
    Outcome check = apart(none, "a", "check");
    assertEquals(1, check.status());
    assertTrue(check.out().contains("  FAIL  java        no JDK 21 or newer found: "), check.out());
    assertTrue(apart(none, "a", "--version").out().contains("Java version: none found"));
  }

  @Test
  void whereDaemonsMeetMustBeWritableAndHaveRoom() throws Exception {
    Path disk = Files.createDirectory(shim.base.getParent().resolve("d"));
    Files.writeString(file(), "run_dir=" + disk + "/x\n");
    String hint = "; run_dir=" + disk + "/x (" + file() + ") must have room, and root must be able to write there: "
        + "make room, or name another directory in that file\n";
    Outcome readOnly = startApart("mount -t tmpfs -o ro none '" + disk + "'", "a");
    assertEquals(1, readOnly.status());
    assertTrue(readOnly.stderr().startsWith(PREFIX + "cannot make " + disk + "/x/"), readOnly.stderr());
    assertTrue(readOnly.stderr().endsWith(": Read-only file system" + hint), readOnly.stderr());
    assertEquals(1, readOnly.stderr().lines().count());
    Outcome full = startApart("mount -t tmpfs -o nr_inodes=4 none '" + disk + "'", "a");
    assertEquals(1, full.status());
    assertTrue(full.stderr().endsWith(": No space left on device" + hint), full.stderr());
    assertEquals(1, full.stderr().lines().count());
  }

  @Test
  void aRunDirThatCannotBeOneIsTheDefault() throws Exception {
    for (String value : List.of("run", "/" + "x".repeat(60), "")) {
      Files.writeString(file(), "run_dir=" + value + "\n");
      String said = Installation.finish(shim.command(shim.base, List.of("check")), null).out();
      assertTrue(said.contains("\n  run_dir               /run/loomshim             default\n"), said);
      assertTrue(said.contains(file() + ":1: run_dir"), said);
    }
  }

  @Test
  void theUsageShowsFirstWhatPeopleUseFirst() throws Exception {
    for (String word : List.of("help", "--help", "-help", "-h")) {
      Outcome outcome = Installation.finish(shim.command(shim.base, List.of(word)), null);
      assertEquals(0, outcome.status());
      assertEquals("", outcome.stderr());
      List<String> lines = outcome.out().lines().toList();
      assertTrue(lines.get(1).contains(" check ") && lines.get(3).contains(" inspect "), outcome.out());
      assertTrue(outcome.out().contains(file().toString()), outcome.out());
    }
    assertTrue(Installation.finish(shim.command(shim.base, List.of("--version")), null).out()
        .contains("Version:  9.8.7"));
    assertEquals(0, Installation.finish(shim.command(shim.base, List.of("inspect", "--help")), null).status());
    for (List<String> words : List.of(List.<String>of(), List.of("chekc"))) {
      Outcome outcome = Installation.finish(shim.command(shim.base, words), null);
      assertEquals(2, outcome.status());
      assertTrue(outcome.stderr().startsWith(words.isEmpty() ? "a command is missing" : "there is no command chekc"),
          outcome.stderr());
    }
  }

  @Test
  void theInstallerSaysWhatIsWrongWithTheJavaThatItIsGiven() throws Exception {
    Path old = shim.script("old/bin/java", "exit 1");
    Files.writeString(shim.base.resolve("old/release"), "JAVA_VERSION=\"17.0.9\"\n");
    for (var each : Map.of("/nope/java", "/nope/java: there is no such program; name the java of a JDK 21 or newer",
        "/bin/true", "/bin/true is not DIR/bin/java of a JDK 21 or newer; name such a one",
        old.toString(), old + " is of Java 17 and not DIR/bin/java of a JDK 21 or newer; name such a one").entrySet()) {
      Outcome outcome = Installation.finish(new ProcessBuilder(Installation.INSTALLER.toString(), "--prefix",
          shim.base.resolve("elsewhere").toString(), "--dist", shim.base.resolve("dist").toString(), "--java",
          each.getKey()), null);
      assertEquals(1, outcome.status());
      assertEquals("install.sh: --java " + each.getValue() + "\n", outcome.stderr());
    }
    assertFalse(Files.exists(shim.base.resolve("elsewhere")));
  }

  /** The installer of a tarball, which fetches nothing. */
  @Test
  void whereThereIsNoJdkTheInstallerSaysInOneLineHowToGetOne() throws Exception {
    Path installer = Files.copy(Installation.INSTALLER, shim.base.resolve("install.sh"));
    Path release = shim.base.resolve("os-release");
    String temurin = "get Temurin from https://adoptium.net";
    String apt = "apt-get install openjdk-21-jdk-headless, or " + temurin;
    for (var each : Map.of("ID=ubuntu\nID_LIKE=debian\n", apt, "ID=debian\n", apt, "ID=gentoo\n", temurin,
        "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "dnf install java-21-openjdk-devel").entrySet()) {
      Files.writeString(release, each.getKey());
      String before = "mount -t tmpfs none /usr/lib/jvm; mount --bind os-release /etc/os-release";
      Outcome outcome = apart(before, shim.base, installer, "--prefix", shim.base.resolve("elsewhere").toString(),
          "--dist", shim.base.resolve("dist").toString());
      assertEquals(1, outcome.status(), outcome.out());
      assertEquals("install.sh: no JDK 21 or newer found in JAVA_HOME, /usr/lib/jvm and PATH; " + each.getValue()
          + "; or name one with --java\n", outcome.stderr());
    }
  }

  @Test
  void aRefusedRemovalNamesOptionsThatCanBeGiven() throws Exception {
    assertEquals(0, shim.start("a").status());
    Outcome own = shim.install("--uninstall");
    assertTrue(own.stderr().contains("or use --drain or --force"), own.stderr());
    Outcome packaged = shim.install("--uninstall", "--package");
    assertEquals(1, packaged.status());
    assertFalse(packaged.stderr().contains("--"), packaged.stderr());
    String prerm = Files.readString(Path.of("packaging/debian/prerm"));
    assertTrue(prerm.contains("LOOMSHIM_REMOVE=drain apt-get remove loomshim"), prerm);
  }
}
