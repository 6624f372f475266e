package io.loomshim.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.launcher.Installation.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** loomshim.conf is data: what a line means, what happens to one that means nothing, and when the file is read. */
final class SettingsTest {
  private static final Path READER = Installation.LAUNCHER.resolve("settings.sh").toAbsolutePath();
  private static final int RANDOM_VALUES = 300;

  @RegisterExtension final Installation shim = new Installation();

  private Path file() {
    return shim.prefix.resolve("etc/loomshim.conf");
  }

  /** What the reader makes of a text: the value of every setting, and `mistakes` and `notes`. */
  private Map<String, String> read(String text) throws Exception {
    Path file = Files.write(shim.base.resolve("read.conf"), text.getBytes(StandardCharsets.ISO_8859_1));
    String script = "set -uf; . \"$1\"; read_settings \"$2\"; "
        + "for each in $SETTINGS mistakes notes; do eval \"value=\\$$each\"; "
        + "printf '%s\\t%s\\0' \"$each\" \"$value\"; done";
    Outcome outcome = Installation.finish(
        new ProcessBuilder("sh", "-c", script, "sh", READER.toString(), file.toString()), null);
    assertEquals("", outcome.stderr());
    var found = new HashMap<String, String>();
    for (String pair : new String(outcome.stdout(), StandardCharsets.ISO_8859_1).split("\0")) {
      found.put(pair.substring(0, pair.indexOf('\t')), pair.substring(pair.indexOf('\t') + 1));
    }
    return found;
  }

  private void means(String setting, String value, String line) throws Exception {
    Map<String, String> found = read(line);
    assertEquals(value, found.get(setting), line);
    assertEquals("", found.get("mistakes"), line);
  }

  private void mistaken(String line, String text) throws Exception {
    assertEquals("1 " + text + "\n", read(line).get("mistakes"), line);
  }

  @Test
  void blanksCommentsQuotesAndCarriageReturnsAreAsPeopleWriteThem() throws Exception {
    for (String line : List.of("mode=pod", " mode = pod ", "mode\t=\tpod", "mode=pod\r\n", "mode='pod'",
        "mode = \"pod\"\r",
        "mode=pod # why", "mode=pod\t#why", "export mode=pod", "\u00ef\u00bb\u00bfmode=pod",
            "# mode=container\nmode=pod",
        "mode=container\nmode=pod", "\r\n\r\nmode=pod\r\n", "mode='po'd")) {
      means("mode", "pod", line);
    }
    means("java_options", "-Xmx512m -Dx=y", "java_options=-Xmx512m -Dx=y");
    means("java_options", "-Dx=#1", "java_options=-Dx=#1 # a comment");
    means("java_options", "-Dx=a # b", "java_options='-Dx=a # b'");
    means("java_options", "$x `y` \"z\"", "java_options='$x `y` \"z\"'");
    means("run_dir", "/run/my dir", "run_dir=/run/my\\ dir");
    means("threads", "fixed:64", "threads=fixed:64");
    means("linger_seconds", "0", "linger_seconds=0");
    means("mode", "namespace", "");
    means("mode", "namespace", "# mode=pod");
    means("java", "", "java=");
  }

  /** Files of earlier versions were read by sh. */
  @Test
  void quotedValuesMeanWhatTheyMeanToSh() throws Exception {
    long seed = System.nanoTime();
    var random = new Random(seed);
    List<String> pieces = List.of("a", "-X:y=1", "/b.c", "'", "\"", "\\", " ", "#", "$", "`", "*", "~", "=", ";",
        "\u00e9");
    var lines = new ArrayList<String>();
    var script = new StringBuilder();
    for (int i = 0; i < RANDOM_VALUES; i++) {
      var word = new StringBuilder("x");
      for (int part = random.nextInt(4); part >= 0; part--) {
        var text = new StringBuilder();
        for (int n = random.nextInt(4); n >= 0; n--) {
          text.append(pieces.get(random.nextInt(pieces.size())));
        }
        switch (random.nextInt(3)) {
          case 0 -> word.append('\'').append(text.toString().replace("'", "")).append('\'');
          case 1 -> word.append('"').append(text.toString().replaceAll("[\\\\\"$`]", "\\\\$0")).append('"');
          default -> word.append(text.toString().replaceAll("[^-A-Za-z0-9:/.=]", "\\\\$0"));
        }
      }
      lines.add("java_options=" + word);
      script.append(word).append('\n');
    }
    Path words = Files.write(shim.base.resolve("words"), script.toString().getBytes(StandardCharsets.ISO_8859_1));
    Outcome sh = Installation.finish(new ProcessBuilder("sh", "-c",
        "set -f; while IFS= read -r w; do eval \"v=$w\"; printf '%s\\0' \"$v\"; done < \"$1\"", "sh",
            words.toString()), null);
    assertEquals("", sh.stderr());
    Outcome ours = Installation.finish(new ProcessBuilder("sh", "-c",
        "set -uf; . \"$1\"; odd=$(printf ' \\t\\r'); gaps=$odd; "
        + "while IFS= read -r w; do given=$w; unquote || echo \"$why\" >&2; printf '%s\\0' \"$value\"; done < \"$2\"",
        "sh", READER.toString(), words.toString()), null);
    assertEquals("", ours.stderr(), "seed " + seed);
    String[] expected = new String(sh.stdout(), StandardCharsets.ISO_8859_1).split("\0", -1);
    String[] found = new String(ours.stdout(), StandardCharsets.ISO_8859_1).split("\0", -1);
    assertEquals(RANDOM_VALUES + 1, expected.length);
    for (int i = 0; i < RANDOM_VALUES; i++) {
      assertEquals(expected[i], found[i], lines.get(i) + " seed " + seed);
    }
  }

  @Test
  void aLineThatMeansNothingIsNamedWithWhatIsTakenInstead() throws Exception {
    mistaken("linger_seconds=5s", "linger_seconds=5s is not a number of seconds; taken instead: 30");
    mistaken("linger_seconds=-1", "linger_seconds=-1 is not a number of seconds; taken instead: 30");
    mistaken("stuck_seconds=9999999999",
        "stuck_seconds=9999999999 is too large: a number of seconds has 9 digits at most; taken instead: 30");
    mistaken("runc_timeout_seconds = 0", "runc_timeout_seconds=0 is less than 1; taken instead: 60");
    mistaken("mode=pods", "mode=pods is none of namespace, pod, container; taken instead: namespace");
    mistaken("mode=namespace, pod",
        "mode=namespace, pod is none of namespace, pod, container; taken instead: namespace");
    mistaken("mode=*", "mode=* is none of namespace, pod, container; taken instead: namespace");
    mistaken("threads=fixed:N",
        "threads=fixed:N is none of virtual, platform, fixed:N, pinned; taken instead: virtual");
    mistaken("threads=fixed:0",
        "threads=fixed:0 is none of virtual, platform, fixed:N, pinned; taken instead: virtual");
    mistaken("kill_exec_tree=yes", "kill_exec_tree=yes is none of true, false; taken instead: false");
    mistaken("sealed_runtime=never", "sealed_runtime=never is none of auto, true, false; taken instead: auto");
    mistaken("log=journald", "log=journald is none of containerd, journal, journal:/PATH; taken instead: containerd");
    mistaken("log=journal:run/j",
        "log=journal:run/j is none of containerd, journal, journal:/PATH; taken instead: containerd");
    String far = "journal:/" + "x".repeat(108);
    mistaken("log=" + far,
        "log=" + far + " is none of containerd, journal, journal:/PATH; taken instead: containerd");
    mistaken("mode=journal:/x", "mode=journal:/x is none of namespace, pod, container; taken instead: namespace");
    mistaken("java=bin/java",
        "java=bin/java is not a path that begins with /; taken instead: what counts without this line");
    mistaken("run_dir=run", "run_dir=run is not a path that begins with /; taken instead: /run/loomshim");
    mistaken("run_dir=/" + "x".repeat(40), "run_dir=/" + "x".repeat(40)
        + " has 41 characters, and sockets in it leave room for 35; taken instead: /run/loomshim");
    mistaken("run_dir='/run/x", "run_dir='/run/x has a quote that is not closed; taken instead: /run/loomshim");
    mistaken("java=$JAVA_HOME/bin/java", "java=$JAVA_HOME/bin/java has a $ or `, which stands for nothing here: write "
        + "what is meant, in single quotes if it is the sign itself; taken instead: what counts without this line");
    mistaken("linger_second=5", "there is no setting linger_second");
    mistaken("mode pod", "mode pod is no setting: a line is NAME=VALUE, or a comment after #");
    mistaken("=pod", "=pod is no setting: a line is NAME=VALUE, or a comment after #");
    mistaken("x".repeat(5000), "a line of more than 4096 characters, which is not read");
    assertEquals("2 run_dir has no value, so /run/loomshim counts\n", read("\nrun_dir=").get("notes"));
    assertEquals("2 mode has been set in line 1 already; this line counts\n", read("mode=pod\nmode=pod").get("notes"));
  }

  @Test
  void aFileFullOfMistakesPreventsNoContainer() throws Exception {
    Files.writeString(file(), "linger_seconds = abc\r\n<html>\nrun_dir='" + shim.runDir.toString().replace("'", "'\\''")
        + "'\nmode=$(touch " + shim.base + "/run)\nstuck_seconds=7; touch x\n(\nexit 1\n'\n\0\1\2\nthreads=\"");
    Outcome outcome = shim.start("a");
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals("", outcome.stderr());
    assertTrue(Files.notExists(shim.base.resolve("run")));
    List<String> arguments = Files.readAllLines(shim.run("a").resolve("arguments"));
    assertEquals("30", arguments.get(arguments.indexOf("-linger") + 1));
    assertEquals("virtual", arguments.get(arguments.indexOf("-threads") + 1));
    assertEquals(file() + ":1: linger_seconds=abc is not a number of seconds; taken instead: 30",
        arguments.get(arguments.indexOf("-mistake") + 1));
    assertEquals(9, arguments.stream().filter("-mistake"::equals).count(), arguments::toString);
  }

  @Test
  void aFileThatIsNoneCountsAsEmpty() throws Exception {
    Files.delete(file());
    Files.createDirectory(file());
    Outcome outcome = Installation.finish(shim.command(shim.base, List.of("check")), null);
    assertEquals(1, outcome.status());
    assertTrue(outcome.out().contains("  " + file() + ": no file that can be read; all settings have their defaults\n"),
        outcome.out());
  }

  /** Sets `task_api`, which shows in the answer of a start. */
  private boolean third(String line) throws Exception {
    Files.writeString(file(), "run_dir='" + shim.runDir.toString().replace("'", "'\\''") + "'\n" + line);
    return answersThird();
  }

  private boolean answersThird() throws Exception {
    Outcome outcome = shim.start("a");
    assertEquals(0, outcome.status(), outcome.stderr());
    return outcome.out().startsWith("{");
  }

  @Test
  void aChangeCountsForTheNextContainerWhateverTheTimeOfTheFile() throws Exception {
    assertEquals(false, third("task_api=2\n"));
    for (int i = 0; i < 3; i++) { // the same size, the same moment
      assertEquals(true, third("task_api=3\n"));
      assertEquals(false, third("task_api=2\n"));
    }
    Path backup = Files.copy(file(), shim.base.resolve("backup"));
    Files.setLastModifiedTime(backup, FileTime.fromMillis(1_000_000_000_000L));
    assertEquals(true, third("task_api=3\n"));
    Files.move(backup, file(), StandardCopyOption.REPLACE_EXISTING);
    assertEquals(false, answersThird());
    Files.setLastModifiedTime(file(), FileTime.fromMillis(9_000_000_000_000L));
    assertEquals(false, answersThird());
    Files.writeString(file(), Files.readString(file()).replace("=2", "=3"));
    assertEquals(true, answersThird());
  }

  @Test
  void aFileThatGoesAndComesBackIsNoticed() throws Exception {
    Path link = shim.prefix.resolve("lib/loomshim/current/.settings.conf");
    shim.set("linger_seconds", "7");
    Files.setLastModifiedTime(file(), FileTime.fromMillis(1_000_000_000_000L)); // else it may change in this tick yet
    assertTrue(version().contains("Version"));
    String before = Files.readString(link);
    assertTrue(before.contains("linger_seconds=7 "), before);
    String text = Files.readString(file());
    Files.delete(file());
    version();
    assertTrue(Files.readString(link).contains("linger_seconds=30 "));
    Files.writeString(file(), text);
    Files.setLastModifiedTime(file(), Files.getLastModifiedTime(link)); // as if both were written in one tick
    version();
    assertEquals(before, Files.readString(link));
  }

  private String version() throws Exception {
    return Installation.finish(shim.command(shim.base, List.of("-v")), null).out();
  }

  /** The warm path runs no program at all: there is none that it could find. */
  @Test
  void aFileThatHasNotChangedIsReadOnce() throws Exception {
    Files.setLastModifiedTime(file(), FileTime.fromMillis(1_000_000_000_000L));
    assertEquals(0, shim.start("a").status());
    Path memo = shim.prefix.resolve("lib/loomshim/current/.settings.conf");
    Object inode = Files.getAttribute(memo, "unix:ino");
    Path bin = shim.script("bin/runc", "exit 1").getParent();
    Outcome outcome = shim.with(shim.startCommand("b"), Map.of("PATH", bin.toString()));
    assertEquals(0, outcome.status(), outcome.stderr());
    assertEquals("", outcome.stderr());
    assertEquals(shim.daemon("a"), shim.daemon("b"));
    assertEquals(inode, Files.getAttribute(memo, "unix:ino"));
  }

  @Test
  void aMistakeMadeWhileADaemonRunsIsInItsLog() throws Exception {
    assertEquals(0, shim.start("a").status());
    Files.writeString(file(), Files.readString(file()) + "mode=\"pods\n");
    Files.setLastModifiedTime(file(), FileTime.fromMillis(1_000_000_000_000L));
    assertEquals(0, shim.start("b").status());
    assertEquals(0, shim.start("c").status());
    assertEquals(shim.daemon("a"), shim.daemon("c"));
    String log = Files.readString(shim.run("a").resolve("daemon.log"));
    assertEquals(1, log.lines().count(), log);
    assertTrue(log.contains(" level=warning msg=\"mistake in the settings\" runtime=io.containerd.loom.v1 error=\""
        + file()
        + ":2: mode=\\\"pods has a quote that is not closed; taken instead: namespace\""), log);
  }

  @Test
  void aTreeThatWasCopiedDoesNotCountAsTheOneItCameFrom() throws Exception {
    version();
    Path build = shim.prefix.resolve("lib/loomshim/current").toRealPath();
    Path copy = shim.base.resolve("copy");
    assertEquals(0, Installation.finish(new ProcessBuilder("cp", "-a", build.toString(), copy.toString()),
        null).status());
    Path launcher = copy.resolve("containerd-shim-loom-v1");
    Files.writeString(launcher, Files.readString(launcher).replaceFirst("(?m)^home=.*$", "home='" + copy.toString()
        .replace("'", "'\\\\''") + "'"));
    Files.writeString(copy.resolve("launcher.conf"), Files.readString(copy.resolve("launcher.conf"))
        + "version=copied\n");
    assertTrue(Installation.finish(new ProcessBuilder(launcher.toString(), "-v"), null).out().contains("copied"));
    assertNotEquals("", version());
  }

  @Test
  void theFileThatIsInstalledNamesEverySettingAndItsValuesAreGood() throws IOException, Exception {
    String text = Files.readString(Installation.LAUNCHER.resolve("loomshim.conf"));
    String active = text.replaceAll("(?m)^#([a-z_]+=)", "$1");
    Map<String, String> found = read(active);
    assertEquals("", found.get("mistakes"));
    for (String name : found.keySet()) {
      assertTrue(List.of("mistakes", "notes").contains(name) || active.contains("\n" + name + "="), name);
    }
  }
}
